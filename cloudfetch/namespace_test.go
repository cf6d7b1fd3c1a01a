package cloudfetch

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheNamespaceOfASessionIsWhatItsAnswerSays(t *testing.T) {
	long := strings.Repeat("ü", maxName/2) // 254 bytes
	for name, test := range map[string]struct {
		answer          wireField
		catalog, schema string
	}{
		"both":                {fNamespace("main", "sales"), "main", "sales"},
		"names with anything": {fNamespace("a|b", "Größe 1"), "a|b", "Größe 1"},
		"only a schema":       {fStruct(1284, fString(2, "default")), "", "default"},
		"neither":             {fStruct(1284), "", ""},
		"empty":               {fNamespace("", ""), "", ""},
		"long":                {fNamespace(long, long+"x"), long, long + "x"},
		"too long":            {fNamespace(long+"xy", "sales"), "", "sales"},
		"no text":             {fNamespace("a\xff", "b\x00c"), "", ""},
		"of another type":     {wireField{1284, tI32, u32(7)}, "", ""},
		"of names":            {fStruct(1284, fI32(1, 7), fString(2, "sales")), "", "sales"},
	} {
		t.Run(name, func(t *testing.T) {
			s, session := newStage(t), new(Session)
			s.answer(wireReply(openSession, 1, fStatus(okStatus), fSession(3, sessionA), test.answer))
			s.mustRPC(NewSessionContext(context.Background(), session), wireCall(openSession, 1))
			catalog, schema := session.Namespace()
			require.Equal(t, test.catalog, catalog)
			require.Equal(t, test.schema, schema)
			require.NotEmpty(t, session.ID())
		})
	}
}

func TestANamespaceIsOfOneAnswer(t *testing.T) {
	r := newReader(false)
	r.feed(wireReply(openSession, 1, fStatus(okStatus), fNamespace("secret", "secret")))
	require.Equal(t, "secret", r.msg.catalog)
	r.start(false)
	r.feed(wireReply(openSession, 1, fStatus(okStatus), fStruct(1284, fString(2, "default"))))
	require.Empty(t, r.msg.catalog)
	require.Equal(t, "default", r.msg.schema)

	twice := readPieces(false, wireReply(openSession, 1, fNamespace("a", "b"), fNamespace("c", "d")))
	require.Equal(t, undecodable, twice.progress)

	// A name elsewhere in an answer is not looked at.
	r.start(false)
	r.feed(wireReply(getResultSetMetadata, 1, fStatus(okStatus), fNamespace("secret", "secret")))
	require.NotContains(t, fmt.Sprintf("%s %s", r.text, r.msg.catalog), "secret")
}

func TestANamespaceThatDidNotComeCompletelyIsUnknown(t *testing.T) {
	b := wireReply(openSession, 1, fStatus(okStatus), fSession(3, sessionA), fNamespace("main", "sales"))
	s, session := newStage(t), new(Session)
	s.answer(b[:len(b)-3])
	_, _ = s.rpc(NewSessionContext(context.Background(), session), wireCall(openSession, 1))
	catalog, schema := session.Namespace()
	require.Empty(t, catalog)
	require.Empty(t, schema)
}
