package rights

import (
	"regexp"
	"strings"
)

// awsIoT is the policy of https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-actions.html
// for what the preview asks: of IAM with an access key, of IoT Core itself with a
// device certificate, which sees live topics alone.
func awsIoT(a answers) []Grant {
	region := a.or("region", regionIn(a.of("endpoint")))
	arn := a.of("role_arn")
	base := "arn:" + partition(region) + ":iot:" + orStar(region) + ":" + orStar(accountOf(arn)) + ":"
	live := []statement{
		{Effect: "Allow", Action: []string{"iot:Connect"}, Resource: []string{base + "client/" + clientOf(a)}},
		{Effect: "Allow", Action: []string{"iot:Subscribe"}, Resource: filtersOf(a, base)},
		{Effect: "Allow", Action: []string{"iot:Receive"}, Resource: topicsOf(a, base)},
	}
	notes := []string{when(accountOf(arn) == "", "Write the number of the account in place of the star after the region to be exact."),
		"Topics that begin with $aws need lines of their own.", "iot:Publish is left out, so that nothing can be sent."}
	if a.of("auth") == "certificate" {
		return []Grant{{Title: "See live topics", Where: "An AWS IoT policy (Security, Policies), attached to the device certificate.", Language: JSON, Text: policy(live...), Notes: some(notes...)}}
	}
	to := "the IAM user of the access key"
	if arn != "" {
		to = "the role"
	}
	lists := []statement{
		{Effect: "Allow", Resource: []string{"*"}, Action: []string{"iot:ListThings", "iot:ListThingTypes", "iot:ListThingGroups", "iot:DescribeEndpoint", "iot:ListRetainedMessages"}},
		{Effect: "Allow", Resource: []string{base + "thinggroup/*"}, Action: []string{"iot:ListThingsInThingGroup"}},
		{Effect: "Allow", Resource: []string{base + "thing/*"}, Action: []string{"iot:ListNamedShadowsForThing", "iot:GetThingShadow"}},
		{Effect: "Allow", Resource: []string{base + "topic/*"}, Action: []string{"iot:GetRetainedMessage"}},
	}
	notes = append(notes, "Each may be left out: the rest is shown.")
	out := []Grant{{Title: "List things and see live topics", Where: "Attach to " + to + " (IAM, Add permissions, Create inline policy, JSON).", Language: JSON, Text: policy(append(lists, live...)...), Notes: some(notes...)}}
	return append(out, role(a, arn, region)...)
}

var iotHost = regexp.MustCompile(`\.iot\.([a-z0-9-]+)\.amazonaws\.`)

func regionIn(endpoint string) string {
	if m := iotHost.FindStringSubmatch(endpoint); m != nil {
		return m[1]
	}
	return ""
}

// clientOf is the client ID: one's own gets letters added unless it is to be exact.
func clientOf(a answers) string {
	id := a.of("client_id")
	switch {
	case id == "":
		return "jackfield*"
	case a.of("exact_id") == "true":
		return literal(id)
	}
	return literal(id) + "-*"
}

// filtersOf are the filters as they are subscribed to: there # and + are signs
// like others.
func filtersOf(a answers, base string) []string {
	var out []string
	for _, f := range a.lines("topic") {
		out = append(out, base+"topicfilter/"+literal(f))
	}
	return out
}

// topicsOf are the topics that the filters let through.
func topicsOf(a answers, base string) []string {
	var out []string
	for _, f := range a.lines("topic") {
		levels := strings.Split(f, "/")
		for i, l := range levels {
			if levels[i] = literal(l); l == "#" || l == "+" {
				levels[i] = "*"
			}
		}
		topic := strings.Join(levels, "/")
		if above, is := strings.CutSuffix(f, "/#"); is && !strings.Contains(above, "+") { // # is for the level above too
			out = append(out, base+"topic/"+literal(above))
		}
		out = append(out, base+"topic/"+topic)
	}
	return out
}
