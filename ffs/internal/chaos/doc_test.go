// Package chaos tests what is left of a run when its process is killed, its disk is full or its
// files are damaged: the numbers of an undisturbed run, or one error that says what is wrong and
// what to do, never other numbers.
//
// A few rounds belong to every test; a thousand run with
//
//	go test ./ffs/internal/chaos -run Chaos -chaos.n=1000 -timeout 0
//
// Kills at the system calls of a write need strace, a full disk needs the right to mount a tmpfs;
// without them those rounds are left out, which the test's log says.
package chaos
