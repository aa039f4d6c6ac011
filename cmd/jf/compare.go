package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/report"
)

// exitDiffer says that a comparison was made and that the two are not known to be
// the same; see the command's help.
const exitDiffer = 4

func (a *app) compare() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{Use: "compare A B", Short: "What one account can see and another one cannot", Args: cobra.ExactArgs(2),
		Long: `Compares what two accounts see and may do: A and B are connections, or reports that were saved as .json.
The first line answers the question: which tables (folders, queues …) one of them may not read that the other one can.
What one side did not look at is said to be unknown there, and not missing.
Beside a report file, a connection is looked at as deep as the report was, unless a flag says otherwise.

Exit codes: 0 both see the same with the same rights (counts, sizes and times may differ); 4 they differ, or one side did not look everywhere
("verdict" in the JSON is "same", "differ" or "unknown"); 1 a server said no; 2 wrong use, no report, or nothing to compare; 3 nobody to ask; 130 interrupted.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(a.json); err != nil {
				return err
			}
			sides, err := a.sides(cmd, args, f.o)
			if err != nil {
				return err
			}
			d, err := report.Compare(sides[0], sides[1])
			if err != nil {
				return err
			}
			if err := f.write(a, d); err != nil {
				return err
			}
			if d.Verdict != report.Alike {
				return exit{exitDiffer}
			}
			return nil
		}}
	f.on(c)
	return c
}

// sides are the two reports: files first, as they say how deep to look.
func (a *app) sides(cmd *cobra.Command, args []string, o report.Options) ([2]*report.Report, error) {
	var out [2]*report.Report
	for n, arg := range args {
		if !isReport(arg) {
			continue
		}
		data, err := os.ReadFile(arg)
		if err != nil {
			return out, misuse{fmt.Errorf("%s cannot be read; give a connection's name, or a file that jf report NAME --out FILE.json wrote: %w", connectors.Clean(arg, 200), errors.Unwrap(err))}
		}
		if out[n], err = report.Read(data); err != nil {
			return out, err
		}
		o = asDeep(cmd, o, out[n].Options)
	}
	for n, arg := range args {
		if out[n] != nil {
			continue
		}
		r, err := a.take(cmd.Context(), arg, o)
		if err != nil {
			return out, err
		}
		out[n] = r
	}
	return out, nil
}

// isReport reports whether an argument is a file and not a connection's name.
func isReport(arg string) bool {
	info, err := os.Stat(arg)
	return strings.HasSuffix(strings.ToLower(arg), ".json") && (err != nil || !info.IsDir())
}

// asDeep takes the bounds of a report for what was not said.
func asDeep(cmd *cobra.Command, o, of report.Options) report.Options {
	said := func(flag string) bool { return cmd.Flags().Changed(flag) }
	if !said("depth") && of.Depth > 0 {
		o.Depth = of.Depth
	}
	if !said("most") && of.Most > 0 {
		o.Most = of.Most
	}
	if !said("below") {
		o.Below = of.Below
	}
	if !said("columns") {
		o.Columns = of.Columns
	}
	return o
}
