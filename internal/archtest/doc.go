// Package archtest has only tests: the rules of this repository that the compiler does not check.
//
//	imports_test.go         which package may import which
//	docs_test.go            the generated tables of the documents, from the code
//	compatibility_test.go   the table of supported versions, from what is tested
//	promise_test.go         every promise about privacy names the test that proves it
//	commands_test.go        the commands that the documents and workflows name exist
//	time_test.go            no test depends on the speed of the machine
package archtest
