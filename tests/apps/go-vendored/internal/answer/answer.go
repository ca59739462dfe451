// Package answer is for the fleet alone.
package answer

import "example.com/signal"

func Text() string {
	return "cmd/server is " + signal.Flag
}
