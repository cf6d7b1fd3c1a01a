package settings

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// MisplacedParameter returns the error for a parameter of this package in a part of a DSN that has no
// parameters. place names that part.
func MisplacedParameter(name, place string) *telemetry.ParameterError {
	return &telemetry.ParameterError{Name: quotableName(name), Problem: "is " + place + ", where it has no effect: the parameters of a DSN begin with one ? and are separated by &"}
}

// Resolve returns the settings in force. The DSN takes precedence over the environment, and the
// environment over base, except that off wins wherever it is set. dsn holds all values of each
// parameter of a DSN for which [IsParameter] is true, and env is what [Environ] returns; either may
// be nil. An empty value counts as not set.
//
// Names are understood in any case. An unknown parameter of the DSN is an error. An unknown
// environment variable is not, because it may be meant for a newer version elsewhere in a fleet;
// [InForce] lists it. The error is a *telemetry.ParameterError.
func Resolve(base telemetry.Settings, dsn, env map[string][]string) (telemetry.Settings, error) {
	s, _, err := resolve(base, dsn, env)
	return s, err
}

// InForce lists every parameter with the value that Resolve gives it and the source of that value. It
// returns nil if Resolve returns an error.
func InForce(base telemetry.Settings, dsn, env map[string][]string) []telemetry.SettingInForce {
	s, by, err := resolve(base, dsn, env)
	if err != nil {
		return nil
	}
	usual, defaults := telemetry.Settings{}.WithDefaults(), s.WithDefaults()
	all := make([]telemetry.SettingInForce, len(Parameters))
	for i, p := range Parameters {
		f := telemetry.SettingInForce{Name: p.Name, Value: p.Value(s), By: by[p.Name]}
		switch {
		case f.Value == "":
			f.Value, f.By = p.Default, cmp.Or(f.By, "default") // the source may have said false
			if v := p.Value(defaults); v != p.Value(usual) {   // the default depends on another setting
				f.Value = v
			}
		case f.By == "":
			f.By = "Config"
		}
		all[i] = f
	}
	return slices.Concat(all, ignored(env))
}

// resolve also returns the source of each parameter, by name. A setting of base has no entry.
func resolve(base telemetry.Settings, dsn, env map[string][]string) (telemetry.Settings, map[string]string, error) {
	r := resolution{settings: base, by: map[string]string{}, off: base.Enabled == telemetry.SwitchOff}
	// The words of base are converted to the form of the parameters, and values that the parameters do not accept
	// are refused. Durations may be shorter than a parameter's, as in tests.
	for _, p := range Parameters {
		if value := p.Value(base); value != "" && !p.codec.setField(&r.settings, value) {
			return base, nil, &telemetry.ParameterError{
				Name: "Settings." + p.Field, Value: quotable(value), Accepts: p.acceptsField(),
			}
		}
	}
	for _, from := range []source{{values: env}, {values: dsn, dsn: true}} {
		if err := r.apply(from); err != nil {
			return base, nil, err
		}
	}
	for _, v := range env[doNotTrack] {
		if track, ok := parseSwitch(v); !r.off && (!ok || track == telemetry.SwitchOn) {
			r.off, r.offBy = true, doNotTrack
		}
	}
	if r.off {
		r.settings.Enabled, r.by[enableParameter] = telemetry.SwitchOff, r.offBy
	}
	return r.settings, r.by, nil
}

// resolution is the state of resolve.
type resolution struct {
	settings telemetry.Settings
	by       map[string]string // source of each parameter
	off      bool              // a source says off; no source can switch it on again
	offBy    string            // as in SettingInForce.By; "" for base
}

// apply replaces values that are already set by those of a source.
func (r *resolution) apply(from source) error {
	values, err := from.read()
	if err != nil {
		return err
	}
	for _, p := range Parameters {
		all := values[p.Name]
		if p.Name == enableParameter {
			if err := r.applySwitch(p, all); err != nil {
				return err
			}
			continue
		}
		i := slices.IndexFunc(all, func(g *given) bool { return g.value != "" })
		if i < 0 {
			continue
		}
		g := all[i] // as in the native driver, the first one counts
		if !p.codec.set(&r.settings, g.value) {
			return g.valueError(p)
		}
		r.by[p.Name] = g.by
	}
	return nil
}

// applySwitch looks at every value of the switch, because one that is off is enough. A variable whose
// name only resembles that of the switch may have any value, and never switches telemetry on.
func (r *resolution) applySwitch(p Parameter, values []*given) error {
	for _, g := range slices.Backward(values) {
		position, ok := g.position()
		switch {
		case !ok && g.known:
			return g.valueError(p)
		case position == telemetry.SwitchOn && g.known:
			r.settings.Enabled, r.by[p.Name] = telemetry.SwitchOn, g.by
		case position == telemetry.SwitchOff && !r.off:
			r.off, r.offBy = true, g.by
		}
	}
	return nil
}

// source is the DSN or the environment.
type source struct {
	values map[string][]string
	dsn    bool // otherwise the environment
}

// given is one value of a parameter.
type given struct {
	name    string // as it was spelled
	value   string
	by      string // source, as in SettingInForce.By
	negated bool
	rank    int  // 0 for a documented name, 1 for another spelling
	known   bool // name is a spelling that meaningOf knows
}

// read groups the values of a source by parameter; documented spellings come first.
func (from source) read() (map[string][]*given, error) {
	byParameter := map[string][]*given{}
	for _, name := range slices.Sorted(maps.Keys(from.values)) { // in order, so that the error is always the same
		values, by := from.values[name], "DSN"
		if !from.dsn {
			if by = name; !strings.HasPrefix(name, envPrefix) {
				continue
			}
		}
		m, known := meaningOf(name)
		switch {
		case known:
		case from.dsn:
			return nil, &telemetry.ParameterError{Name: quotableName(name), Problem: "is not a parameter: did you mean " + nearest(name).Name + "?"}
		default:
			near, ok := nearSwitch(name)
			if !ok {
				continue
			}
			m = near
		}
		rank := 1
		if name == m.parameter || !from.dsn && slices.Contains(Parameter{Name: m.parameter}.envs(), name) {
			rank = 0
		}
		for _, v := range values {
			byParameter[m.parameter] = append(byParameter[m.parameter], &given{
				name: name, value: strings.TrimSpace(v), by: by, negated: m.negated, rank: rank, known: known,
			})
		}
	}
	for _, all := range byParameter {
		slices.SortStableFunc(all, func(a, b *given) int { return cmp.Compare(a.rank, b.rank) })
	}
	return byParameter, nil
}

// position returns the position of the switch that a value stands for.
func (g *given) position() (telemetry.Switch, bool) {
	position, ok := parseSwitch(g.value)
	ok = ok || g.value == ""
	switch {
	case !g.negated:
		return position, ok
	case position == telemetry.SwitchOn, g.value == "": // the name alone means off
		return telemetry.SwitchOff, ok
	}
	return telemetry.SwitchUnset, ok // not disabled is not enabled
}

func (g *given) valueError(p Parameter) error {
	return &telemetry.ParameterError{Name: quotableName(g.name), Value: quotable(g.value), Accepts: p.Accepts}
}

const (
	envPrefix  = "DATABRICKS_"
	doNotTrack = "DO_NOT_TRACK"
)

// Environ returns the variables of the process's environment that may be settings, by their names in
// upper case. Empty variables are left out.
func Environ() map[string][]string {
	env := map[string][]string{}
	for _, variable := range os.Environ() {
		spelled, value, _ := strings.Cut(variable, "=")
		name := strings.ToUpper(spelled)
		if value = strings.TrimSpace(value); value == "" || name != doNotTrack && !strings.HasPrefix(name, envPrefix) {
			continue
		}
		if spelled == name { // upper case, the usual spelling, takes precedence over others
			env[name] = append([]string{value}, env[name]...)
		} else {
			env[name] = append(env[name], value)
		}
	}
	return env
}

// ignored lists the variables that begin with DATABRICKS_TELEMETRY_ and are not settings.
func ignored(env map[string][]string) (all []telemetry.SettingInForce) {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if _, known := meaningOf(name); known || isNearSwitch(name) || !strings.HasPrefix(name, envPrefix+"TELEMETRY_") {
			continue
		}
		all = append(all, telemetry.SettingInForce{Name: quotableName(name), Value: "not known to this version: did you mean " + nearest(name).Env() + "?", By: "ignored"})
	}
	return all
}
