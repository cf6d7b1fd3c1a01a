package cloudfetch

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNextBoundaryIsTheFirstRowOfAPageOrFile(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	next, ok := trace.NextBoundary(0)
	require.False(t, ok, "nothing has arrived, but got %d", next)

	s.answer(directReply(1, false, fList(1281, tStruct, wireBatch("a", 3), wireBatch("b", 4))))
	s.mustRPC(ctx, executeRequest(1))
	s.answer(fetchReply(2, true, 7, fList(1281, tStruct))) // an empty page
	s.mustRPC(context.Background(), operationRequest(fetchResults, 2, operationA))
	s.sendLinks(operationA, linkTo("0"), linkTo("1")) // files of 10 rows

	for row, want := range map[int64]int64{-1: 7, 0: 7, 6: 7, 7: 17, 16: 17, 17: 27, 26: 27} {
		next, ok := trace.NextBoundary(row)
		require.True(t, ok, row)
		require.Equal(t, want, next, row)
	}
	_, ok = trace.NextBoundary(27)
	require.False(t, ok, "beyond what was delivered")
}
