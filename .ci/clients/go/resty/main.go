package main

import (
	"clients/call"
	"time"

	"github.com/go-resty/resty/v2"
)

func main() {
	client := resty.New().SetRetryCount(3).SetRetryWaitTime(5 * time.Second).SetRetryMaxWaitTime(20 * time.Second)
	if call.Timeout > 0 {
		client.SetTimeout(call.Timeout)
	}
	if call.Careful {
		// <careful>
		client.SetRetryCount(4).SetRetryWaitTime(time.Second).SetRetryMaxWaitTime(call.Longest)
		client.AddRetryCondition(func(answer *resty.Response, err error) bool {
			return call.IsTransient(answer.RawResponse, err)
		})
		client.SetRetryAfter(func(_ *resty.Client, answer *resty.Response) (time.Duration, error) {
			return max(call.Backoff(answer.Request.Attempt-1), call.RetryAfter(answer.RawResponse)), nil
		})
		// </careful>
	}
	request := client.R().SetHeaders(call.Headers())
	if call.Method == "POST" {
		request.SetBody(call.JSON)
	}
	answer, err := request.Execute(call.Method, call.URL)
	call.Tell(answer.StatusCode(), err)
}
