package courier

import "time"

// CloudEventContent is the media type of a CloudEvent.
const CloudEventContent = "application/cloudevents+json; charset=utf-8"

// A CloudEvent is an event in the JSON format of CloudEvents 1.0.
type CloudEvent struct {
	SpecVersion string    `json:"specversion"` // "1.0"
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Subject     string    `json:"subject"`
	Type        string    `json:"type"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"` // "application/json"
	Data        any       `json:"data"`
}
