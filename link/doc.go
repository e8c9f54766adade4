// Package link holds layers 1 and 2: the cable with its faults, the hub and
// the learning switch.
//
// Every device is a pure machine with the same face: [Device.HandleFrame] and
// [Device.HandleTimer] are its inputs; [Device.PollFrame], [Device.PollEvent]
// and [Device.NextTimer] its outputs, drained after each input. A frame that
// is handed in belongs to the device, and one that is polled to the caller.
// Each frame that goes no further has a [Reason] and is counted under it; the
// [Fact] that tells which frame it was is recorded only while Watch is set.
//
// To add a device: embed outbox, which holds the frames and facts that wait
// to be polled, write HandleFrame, HandleTimer and NextTimer, and add a line
// to the list of interface checks in device.go. To add a fault: a field in
// faults, its place in Settings and a setter beside the others in set.go, a
// step in Line.judge or Line.delayed, and a Reason if it drops frames.
package link
