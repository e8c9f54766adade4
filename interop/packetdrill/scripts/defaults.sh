#!/bin/sh
# What the scripts beside this one begin with: Linux's defaults, spelled out,
# with a window scale of 7 and no timestamps, and reno, which a kernel lets a
# network namespace choose, whatever its own default is. A script's own settings follow.
exec sysctl -q \
	net.ipv4.tcp_rmem="4096 131072 6291456" \
	net.ipv4.tcp_wmem="4096 262144 4194304" \
	net.ipv4.tcp_timestamps=0 \
	net.ipv4.tcp_congestion_control=reno \
	net.ipv4.tcp_ecn=0
