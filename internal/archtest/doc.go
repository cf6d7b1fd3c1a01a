// Package archtest has only tests. They check the rules of this repository that the compiler does not
// check.
//
//	imports_test.go         which package may import which
//	docs_test.go            the generated tables of the documents are up to date
//	compatibility_test.go   the table of supported versions lists the versions that are tested
//	promise_test.go         every promise about privacy names the test that proves it
//	commands_test.go        the commands in documents and workflows exist
//	links_test.go           links between documents lead somewhere
//	time_test.go            no test depends on the speed of the machine
package archtest
