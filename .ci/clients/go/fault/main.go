// The net/http client of the standard library under one fault.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"clients/call"
)

func main() {
	client := &http.Client{Timeout: call.Timeout}
	if warm := os.Getenv("WARM"); warm != "" {
		request, _ := http.NewRequest("GET", warm, nil)
		request.Header.Set("X-Api-Key", os.Getenv("KEY"))
		if answer, err := client.Do(request); err == nil {
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	}
	seen := map[string]any{"where": "call"}
	if err := run(client, seen); err != nil {
		seen["error"] = fmt.Sprintf("%T %q", err, err.Error())
	}
	text, _ := json.Marshal(seen)
	fmt.Println(string(text))
}

func run(client *http.Client, seen map[string]any) error {
	var body io.Reader
	if file := os.Getenv("BODY"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequest(call.Method, call.URL, body)
	if err != nil {
		panic(err)
	}
	request.Header.Set("X-Api-Key", os.Getenv("KEY"))
	if kind := os.Getenv("TYPE"); kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if orderKey := os.Getenv("ORDER_KEY"); orderKey != "" {
		request.Header.Set("Idempotency-Key", orderKey)
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	seen["status"], seen["where"] = answer.StatusCode, "body"
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	seen["bytes"], seen["where"] = len(data), "json"
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	seen["value"], seen["where"] = "object", "none"
	return nil
}
