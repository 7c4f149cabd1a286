package main

import (
	"clients/call"
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax = 3
	client.HTTPClient.Timeout = call.Timeout
	if call.Careful {
		// <careful>
		client.RetryMax = 4
		client.CheckRetry = func(_ context.Context, answer *http.Response, err error) (bool, error) {
			return call.IsTransient(answer, err), nil
		}
		client.Backoff = func(_, _ time.Duration, n int, answer *http.Response) time.Duration {
			return max(call.Backoff(n), call.RetryAfter(answer))
		}
		// </careful>
	}
	request, err := retryablehttp.FromRequest(call.Request())
	if err != nil {
		panic(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		call.Tell(0, err)
		return
	}
	call.Tell(answer.StatusCode, nil)
}
