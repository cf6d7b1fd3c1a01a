package settings

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// MisplacedParameter is the error for a parameter of this package that is where a DSN has no
// parameters: place says where it is instead.
func MisplacedParameter(name, place string) *telemetry.ParameterError {
	return &telemetry.ParameterError{Name: quotable(name), Problem: "is " + place + ", where it has no effect: the parameters of a DSN begin with one ? and are separated by &"}
}

// Resolve returns the settings in force: those of the DSN over those of the environment over
// base, except that off wins wherever and however often it is said. dsn holds the
// parameters of a DSN for which [IsParameter] is true, all values of each, and env is that
// of [Environ]; either may be nil. An empty value is not set.
//
// Names are understood in any case. A parameter of the DSN that is not known is an error. A
// variable of the environment that is not known is not, for it may be meant for a newer
// version elsewhere in a fleet; [InForce] lists it. The error is a *ParameterError.
func Resolve(base telemetry.Settings, dsn, env map[string][]string) (telemetry.Settings, error) {
	s, _, err := resolve(base, dsn, env)
	return s, err
}

// InForce says for every parameter what Resolve makes of it, and who decided. Of a value that
// Resolve refuses it says nothing: the list is empty.
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
			f.Value, f.By = p.Default, "default"
			if v := p.Value(defaults); v != p.Value(usual) { // it depends on another setting
				f.Value = v
			}
		case f.By == "":
			f.By = "Config"
		}
		all[i] = f
	}
	return slices.Concat(all, ignored(env))
}

// source is one place where settings are given.
type source struct {
	values map[string][]string
	dsn    bool // else the environment
}

// given is one value of a parameter.
type given struct {
	name    string // as it was spelled
	value   string
	by      string // who gave it, as SettingInForce says it
	negated bool
	alias   bool // not a documented name
}

// resolve also says who set each parameter, by name; base is nobody.
func resolve(base telemetry.Settings, dsn, env map[string][]string) (s telemetry.Settings, by map[string]string, err error) {
	s, by = base, map[string]string{}
	for _, word := range []struct {
		field  string
		at     *string
		choice words
	}{{"LogLevel", &s.LogLevel, logLevel}, {"ErrorText", &s.ErrorText, errorText}} {
		if *word.at == "" {
			continue
		}
		v, ok := word.choice.parse(*word.at)
		if !ok {
			return base, nil, &telemetry.ParameterError{Name: "Settings." + word.field, Value: quotable(v), Accepts: word.choice.String()}
		}
		*word.at = v
	}
	offBy, off := "", base.Enabled == telemetry.SwitchOff
	for _, from := range []source{{values: env}, {values: dsn, dsn: true}} {
		told, err := from.read()
		if err != nil {
			return base, nil, err
		}
		for _, p := range Parameters {
			if p.Name != enableParameter {
				if i := slices.IndexFunc(told[p.Name], func(g given) bool { return g.value != "" }); i >= 0 {
					g := told[p.Name][i] // as in the native driver, the first one counts
					if !p.codec.set(&s, g.value) {
						return base, nil, g.refused(p)
					}
					by[p.Name] = g.by
				}
				continue
			}
			for i, g := range slices.Backward(told[p.Name]) {
				position, ok := g.position()
				switch {
				case !ok && from.dsn, !ok && !g.alias:
					return base, nil, told[p.Name][i].refused(p)
				case position == telemetry.SwitchOn:
					s.Enabled, by[p.Name] = telemetry.SwitchOn, g.by
				case position == telemetry.SwitchOff && !off:
					off, offBy = true, g.by
				}
			}
		}
	}
	if v := first(env[doNotTrack]); v != "" && !off {
		if track, ok := parseSwitch(v); !ok || track == telemetry.SwitchOn {
			off, offBy = true, doNotTrack
		}
	}
	if off {
		s.Enabled, by[enableParameter] = telemetry.SwitchOff, offBy
	}
	return s, by, nil
}

// read sorts the values of a source by the parameter they are for; documented spellings
// come first.
func (from source) read() (map[string][]given, error) {
	told := map[string][]given{}
	for name, values := range from.values {
		by := "DSN"
		if !from.dsn {
			if by = name; !strings.HasPrefix(name, envPrefix) {
				continue
			}
		}
		m, known := meaningOf(name)
		switch {
		case known:
		case from.dsn:
			return nil, &telemetry.ParameterError{Name: quotable(name), Problem: "is not a parameter: did you mean " + nearest(name).Name + "?"}
		case nearSwitch(name):
			m.parameter = enableParameter
		default:
			continue
		}
		for _, v := range values {
			told[m.parameter] = append(told[m.parameter], given{
				name: name, value: strings.TrimSpace(v), by: by, negated: m.negated, alias: !from.documents(m.parameter, name),
			})
		}
	}
	for _, all := range told {
		slices.SortStableFunc(all, func(a, b given) int {
			if a.alias != b.alias {
				if b.alias {
					return -1
				}
				return 1
			}
			return cmp.Compare(a.name, b.name)
		})
	}
	return told, nil
}

// documents reports whether a name is spelled as the documentation has it.
func (from source) documents(parameter, name string) bool {
	i := slices.IndexFunc(Parameters, func(p Parameter) bool { return p.Name == parameter })
	if from.dsn {
		return name == parameter
	}
	return slices.Contains(Parameters[i].envs(), name)
}

// position is what a value of the switch says.
func (g given) position() (telemetry.Switch, bool) {
	if g.value == "" {
		if g.negated { // the name alone says it
			return telemetry.SwitchOff, true
		}
		return telemetry.SwitchUnset, true
	}
	position, ok := parseSwitch(g.value)
	if g.negated {
		position = map[telemetry.Switch]telemetry.Switch{telemetry.SwitchOn: telemetry.SwitchOff}[position]
	}
	return position, ok
}

func (g given) refused(p Parameter) error {
	return &telemetry.ParameterError{Name: quotable(g.name), Value: quotable(g.value), Accepts: p.Accepts}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

const (
	envPrefix  = "DATABRICKS_"
	doNotTrack = "DO_NOT_TRACK"
)

// Environ returns the variables of the process's environment that may be settings, by their
// names in upper case. Variables that are empty are left out.
func Environ() map[string][]string {
	env := map[string][]string{}
	for _, variable := range os.Environ() {
		spelled, value, _ := strings.Cut(variable, "=")
		name := strings.ToUpper(spelled)
		if value = strings.TrimSpace(value); value == "" || name != doNotTrack && !strings.HasPrefix(name, envPrefix) {
			continue
		}
		if spelled == name { // the usual spelling counts before others
			env[name] = append([]string{value}, env[name]...)
		} else {
			env[name] = append(env[name], value)
		}
	}
	return env
}

// ignored lists the variables that begin like settings and are none.
func ignored(env map[string][]string) (all []telemetry.SettingInForce) {
	for name := range env {
		if _, known := meaningOf(name); known || nearSwitch(name) || !strings.HasPrefix(name, envPrefix+"TELEMETRY_") {
			continue
		}
		all = append(all, telemetry.SettingInForce{Name: quotable(name), Value: "not known to this version: did you mean " + nearest(name).Env() + "?", By: "ignored"})
	}
	slices.SortFunc(all, func(a, b telemetry.SettingInForce) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
