package cloudfetch

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheBoundaryIsTheFirstRowOfThePageOrFileThatFollows(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	require.Zero(t, trace.RowReturned(0, time.Now()), "no row has arrived")

	s.answer(directReply(1, false, fList(1281, tStruct, wireBatch("a", 3), wireBatch("b", 4))))
	s.mustRPC(ctx, executeRequest(1))
	s.answer(fetchReply(2, true, 7, fList(1281, tStruct))) // an empty page
	s.mustRPC(context.Background(), operationRequest(fetchResults, 2, operationA))
	s.sendLinks(operationA, linkTo("0"), linkTo("1")) // files of 10 rows

	for _, c := range []struct{ read, boundary int64 }{{0, 7}, {1, 7}, {7, 7}, {8, 17}, {17, 17}, {18, 27}, {27, 27}} {
		require.Equal(t, c.boundary, trace.RowReturned(c.read, time.Now()), "%d rows read", c.read)
	}
	require.EqualValues(t, -1, trace.RowReturned(28, time.Now()), "beyond what was delivered")
}
