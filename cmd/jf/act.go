package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
)

// do carries out what a service offers to be done, and only what was named.
func (a *app) do() *cobra.Command {
	var input string
	c := &cobra.Command{Use: "do NAME ID [ACTION]", Short: "Do what a service offers at a node; without ACTION list what that is", Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.session(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			actor, ok := s.(connectors.Actor)
			if !ok {
				return cannot("this connection is for looking only")
			}
			offered := actor.Actions(nodeArg(args))
			if len(args) == 2 {
				return a.offers(offered)
			}
			i := slices.IndexFunc(offered, func(x connectors.Action) bool { return x.ID == args[2] })
			if i < 0 {
				return misuse{fmt.Errorf("there is no %q here; “jf do NAME ID” lists what can be done", args[2])}
			}
			if offered[i].Ask != "" && input == "" {
				return misuse{errors.New("--input is needed: " + offered[i].Ask)}
			}
			if offered[i].Warning != "" {
				_, _ = fmt.Fprintln(a.err, offered[i].Warning)
			}
			parts, err := actor.Act(cmd.Context(), nodeArg(args), args[2], input)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(parts)
			}
			a.parts(parts)
			return nil
		}}
	c.Flags().StringVar(&input, "input", "", "what the action asks for")
	return c
}

func (a *app) offers(list []connectors.Action) error {
	if a.json {
		return a.document(append([]connectors.Action{}, list...))
	}
	for _, x := range list {
		_, _ = fmt.Fprintln(a.out, strings.TrimSpace(fmt.Sprintf("%-16s %s  %s", x.ID, x.Label, x.Warning)))
	}
	return nil
}
