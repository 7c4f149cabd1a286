package main

import (
	"clients/call"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

var client = &http.Client{Timeout: call.Timeout}

// The operation of its documentation, which takes a 500 for a good answer; a status that is not 2xx is an error here.
func operation() (int, error) {
	answer, err := client.Do(call.Request())
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == 400 {
		return 0, backoff.Permanent(errors.New("bad request"))
	}
	if answer.StatusCode == 429 {
		seconds, err := strconv.ParseInt(answer.Header.Get("Retry-After"), 10, 64)
		if err == nil {
			return 0, backoff.RetryAfter(int(seconds))
		}
	}
	if answer.StatusCode > 299 {
		return 0, errors.New(answer.Status)
	}
	return answer.StatusCode, nil
}

// <careful>
func carefully() (int, error) {
	answer, err := client.Do(call.Request())
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode < 300 {
		return answer.StatusCode, nil
	}
	if !call.IsTransient(answer, nil) {
		return 0, backoff.Permanent(errors.New(answer.Status))
	}
	if wait := call.RetryAfter(answer); wait > 0 {
		return 0, backoff.RetryAfter(int(wait/time.Second) + 1)
	}
	return 0, errors.New(answer.Status)
}

func settings() []backoff.RetryOption {
	own := backoff.NewExponentialBackOff()
	own.InitialInterval, own.Multiplier, own.RandomizationFactor = 2*time.Second, 2, 0.4
	return []backoff.RetryOption{backoff.WithBackOff(own), backoff.WithMaxTries(5)}
}

// </careful>

func main() {
	if call.Careful {
		call.Tell(backoff.Retry(context.Background(), carefully, settings()...))
		return
	}
	call.Tell(backoff.Retry(context.Background(), operation, backoff.WithBackOff(backoff.NewExponentialBackOff())))
}
