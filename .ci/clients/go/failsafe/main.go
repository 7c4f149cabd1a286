package main

import (
	"clients/call"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
)

func main() {
	policy := failsafehttp.NewRetryPolicyBuilder().Build()
	if call.Careful {
		// <careful>
		policy = failsafehttp.NewRetryPolicyBuilder().
			WithMaxRetries(4).
			AbortIf(func(answer *http.Response, err error) bool { return !call.IsTransient(answer, err) }).
			WithDelayFunc(func(exec failsafe.ExecutionAttempt[*http.Response]) time.Duration {
				return max(call.Backoff(exec.Attempts()-1), call.RetryAfter(exec.LastResult()))
			}).
			Build()
		// </careful>
	}
	client := &http.Client{Transport: failsafehttp.NewRoundTripper(nil, policy)}
	if call.Timeout > 0 {
		// One of http.Client ends all tries together; this one ends each.
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = call.Timeout
		client.Transport = failsafehttp.NewRoundTripper(transport, policy)
	}
	answer, err := client.Do(call.Request())
	if err != nil {
		call.Tell(0, err)
		return
	}
	call.Tell(answer.StatusCode, nil)
}
