package breakdown

// The kinds of the bars of a timeline, besides those of phases: see [Phase.Bar] and the Kind of an explain.Bar.
const (
	BarCall        = "call"
	BarExecute     = "execute"
	BarPoll        = "poll"
	BarPage        = "page"
	BarFile        = "file"
	BarRetry       = "retry"
	BarPause       = "pause"
	BarApplication = "application"
	BarReading     = "reading"
	BarClose       = "close"
	BarServer      = "server"
)
