// Package call has what each program in this folder is called with, and how it says what its caller's code gets to see.
package call

import (
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

var (
	URL    = os.Getenv("URL")
	Method = os.Getenv("METHOD")
	// Careful tells whether the settings that keep the rules are tried; else the library is left as it comes.
	Careful = os.Getenv("SETTINGS") == "careful"
	// Timeout is 0 for the library's own.
	Timeout = milliseconds(os.Getenv("TIMEOUT"))
	// Longest is what anybody waits for an answer: who is asked to wait longer gives up.
	Longest = time.Minute
	// JSON is the body of a POST.
	JSON = `{"video_url":"https://example.com/cat.mp4#t=5"}`
	// OrderKey is one for one order: each try sends the same.
	OrderKey = fmt.Sprintf("order-%d", time.Now().UnixNano())
)

func milliseconds(text string) time.Duration {
	n, _ := strconv.Atoi(text)
	return time.Duration(n) * time.Millisecond
}

// Headers are those of each call.
func Headers() map[string]string {
	headers := map[string]string{"X-Api-Key": os.Getenv("KEY")}
	if Method == "POST" {
		headers["Content-Type"] = "application/json"
		if Careful {
			headers["Idempotency-Key"] = OrderKey
		}
	}
	return headers
}

// Request is the call as net/http has it.
func Request() *http.Request {
	body := ""
	if Method == "POST" {
		body = JSON
	}
	request, err := http.NewRequest(Method, URL, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for name, value := range Headers() {
		request.Header.Set(name, value)
	}
	return request
}

// RetryAfter is what the answer asks for; 0 without one.
func RetryAfter(answer *http.Response) time.Duration {
	if answer == nil {
		return 0
	}
	value := answer.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// Backoff draws 1 to 2 s, 2 to 4 s, 4 to 8 s, then 8 to 16 s; n is 0 for the first.
func Backoff(n int) time.Duration {
	return time.Duration(float64(time.Second) * float64(int(1)<<min(n, 3)) * (1 + rand.Float64()))
}

// IsTransient tells what may be sent again.
func IsTransient(answer *http.Response, err error) bool {
	if err != nil {
		return true
	}
	return (answer.StatusCode == 429 || answer.StatusCode >= 500) && RetryAfter(answer) <= Longest
}

// Tell prints the status that the call returned, or its error.
func Tell(status int, err error) {
	if err != nil {
		fmt.Printf("error %T %q\n", err, err.Error())
		return
	}
	fmt.Printf("answer %d\n", status)
}
