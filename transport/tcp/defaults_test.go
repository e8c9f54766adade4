package tcp

import (
	"math"
	"testing"
	"time"
)

func TestTheDefaultsAreLinuxs(t *testing.T) {
	// ip-sysctl's defaults, and what is compiled into the kernel: "tcp_retries1 ...
	// The default value is 3", "tcp_retries2 ... The default value is 15", and so
	// on. Where RFC 9293 asks for more, in the retries of a SYN, more is done
	// (MUST-23).
	c := DefaultConfig()
	for name, x := range map[string]struct{ got, want int }{
		"TCP_TIMEOUT_INIT, ms":         {int(c.InitialRTO / ms), 1000},
		"tcp_rto_min_us":               {int(c.MinRTO / time.Microsecond), 200_000},
		"TCP_RTO_MAX, s":               {int(c.MaxRTO / time.Second), 120},
		"TCP_DELACK_MIN, ns":           {int(c.DelayedACK), 40_000_000},
		"TCP_MAX_QUICKACKS":            {c.QuickACKs, 16},
		"tcp_syn_retries":              {c.SynRetries, 7},
		"tcp_synack_retries":           {c.SynAckRetries, 5},
		"tcp_retries1":                 {c.Retries1, 3},
		"tcp_retries2":                 {c.Retries2, 15},
		"tcp_orphan_retries":           {c.OrphanRetries, 0},
		"tcp_keepalive_time, ns":       {int(c.KeepAliveIdle), int(2 * time.Hour)},
		"tcp_keepalive_intvl, ns":      {int(c.KeepAliveInterval), int(75 * time.Second)},
		"tcp_keepalive_probes":         {c.KeepAliveProbes, 9},
		"tcp_fin_timeout, ns":          {int(c.FinWait2Timeout), int(time.Minute)},
		"TCP_INIT_CWND":                {c.InitialWindow, 10},
		"tcp_min_tso_segs":             {c.MinBurst, 2},
		"tcp_tso_rtt_log":              {c.BurstRTTLog, 9},
		"tcp_base_mss":                 {c.BaseMSS, 1024},
		"tcp_mtu_probe_floor":          {c.MTUProbeFloor, 48},
		"tcp_probe_threshold":          {c.MTUProbeThreshold, 8},
		"tcp_min_snd_mss":              {c.MinSendMSS, 48},
		"tcp_wmem, min":                {c.MinSendBuffer, 4096},
		"tcp_wmem, default":            {c.SendBuffer, 16_384},
		"tcp_wmem, max":                {c.MaxSendBuffer, 4_194_304},
		"tcp_rmem, min":                {c.MinReceiveBuffer, 4096},
		"tcp_rmem, default":            {c.ReceiveBuffer, 131_072},
		"tcp_rmem, max":                {c.MaxReceiveBuffer, 33_554_432},
		"wmem_max":                     {c.MaxSendOption, 4_194_304},
		"rmem_max":                     {c.MaxReceiveOption, 4_194_304},
		"tcp_adv_win_scale":            {c.AdvWinScale, 1},
		"tcp_notsent_lowat":            {c.NotSentLowat, math.MaxUint32},
		"tcp_reordering":               {c.Reordering, 3},
		"tcp_max_reordering":           {c.MaxReordering, 300},
		"tcp_min_rtt_wlen, ns":         {int(c.MinRTTWindow), int(300 * time.Second)},
		"tcp_ecn":                      {c.ECN, 2},
		"tcp_challenge_ack_limit":      {c.ChallengeACKs, math.MaxInt32},
		"tcp_invalid_ratelimit, ns":    {int(c.InvalidACKInterval), 500_000_000},
		"tcp_max_syn_backlog":          {c.SynBacklog, 1024},
		"somaxconn":                    {c.MaxBacklog, 4096},
		"tcp_syncookies":               {c.SynCookies, 1},
		"tcp_mem, low":                 {c.MemoryPages[0], 49_152},
		"tcp_mem, pressure":            {c.MemoryPages[1], 65_536},
		"tcp_mem, high":                {c.MemoryPages[2], 98_304},
		"half of TCP_TIMEWAIT_LEN, ns": {int(c.MSL), int(30 * time.Second)},
		"tcp_probe_interval, ns":       {int(c.MTUProbeInterval), int(10 * time.Minute)},
		"tcp_mtu_probing":              {c.MTUProbing, 0},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d, want %d", name, x.got, x.want)
		}
	}
	for name, on := range map[string]bool{
		"tcp_slow_start_after_idle": c.SlowStartAfterIdle, "tcp_rfc1337": c.ProtectTimeWait,
		"tcp_moderate_rcvbuf": c.ModerateReceive, "tcp_window_scaling": c.WindowScaling, "tcp_timestamps": c.Timestamps,
		"tcp_sack": c.SACK, "tcp_dsack": c.DSACK, "tcp_recovery": c.RACK, "tcp_early_retrans": c.LossProbe,
		"tcp_frto": c.FRTO, "tcp_ecn_fallback": c.ECNFallback,
	} {
		if !on {
			t.Errorf("%s is off", name)
		}
	}
}
