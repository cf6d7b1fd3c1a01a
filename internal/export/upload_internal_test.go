package export

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheMemoryOfAnUploadIsNotUsedAgainWhileItHasReaders(t *testing.T) {
	written := func() *upload {
		u := newUpload(0)
		u.bytes = append(u.bytes, "a document"...)
		return u
	}

	u := written()
	slow, quick := u.reader(), u.reader()
	got, err := io.ReadAll(quick)
	require.NoError(t, err)
	require.Equal(t, "a document", string(got))
	require.NoError(t, quick.Close())
	require.NoError(t, quick.Close()) // counts once
	u.release()
	require.NotNil(t, u.bytes)
	got, err = io.ReadAll(slow)
	require.NoError(t, err)
	require.Equal(t, "a document", string(got))

	u = written()
	r := u.reader()
	require.NoError(t, r.Close())
	u.release()
	require.Nil(t, u.bytes)
	for _, late := range []io.Reader{r, u.reader()} {
		_, err = late.Read(make([]byte, 1))
		require.ErrorIs(t, err, errClosedUpload)
	}
}
