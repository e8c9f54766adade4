// Package examples has lab files to be run: each shows one thing, which its
// first lines tell. Their ladders are in testdata.
//
// To add an example: write its file, begin it with a comment that says what it
// shows and what to look for, and make its golden ladder with
//
//	go test ./examples -update
package examples
