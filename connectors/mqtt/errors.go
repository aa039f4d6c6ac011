package mqtt

import "jackfield/connectors"

// trust points at the field in which a private authority is told.
func trust(c config, err error) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = c.addr()
	}
	if e.Field == "" && e.Code == connectors.Untrusted {
		e.Field = "ca"
	}
	return fitting(c, &e)
}

// fitting points a failed sign-in at the questions that this form asks.
func fitting(c config, err error) error {
	if err == nil {
		return nil
	}
	e := *connectors.Classify(err)
	switch {
	case e.Reason == "mqtt.auth" && c.Auth != "password":
		e.Reason, e.Field = "mqtt.anonymous", "auth"
	case e.Reason == "mqtt.client_id" && c.ClientID != "" && !c.ExactID:
		e.Reason, e.Field = "mqtt.client_id_made", "exact_id"
	case e.Field == "client_cert" && c.Auth != "certificate":
		// The way to sign in where the certificate that the broker wants is not asked for.
		e.Field = "auth"
	}
	return &e
}
