// Upload, create, poll, download with the standard library: journey URL KEY CLIP OUTPUT
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

var url, key = os.Args[1], os.Args[2]

func call(method, path string, body []byte, headers map[string]string) []byte {
	if !strings.Contains(path, "://") {
		path = url + path
	}
	for try := 0; try < 4; try++ {
		request, err := http.NewRequest(method, path, bytes.NewReader(body))
		must(err)
		request.Header.Set("X-Api-Key", key)
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(request)
		must(err)
		content, err := io.ReadAll(answer.Body)
		must(err)
		answer.Body.Close()
		if answer.StatusCode == http.StatusTooManyRequests {
			seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
			must(err)
			time.Sleep(time.Duration(seconds) * time.Second)
			continue
		}
		if answer.StatusCode >= 300 {
			log.Fatalf("%s %s: %s %s", method, path, answer.Status, content)
		}
		return content
	}
	log.Fatal("429 four times")
	return nil
}

func main() {
	clip, err := os.ReadFile(os.Args[3])
	must(err)
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("file", "clip.mp4")
	must(err)
	part.Write(clip)
	writer.Close()
	var upload struct {
		VideoURL string `json:"video_url"`
	}
	parse(call("POST", "/v1/uploads", form.Bytes(), map[string]string{"Content-Type": writer.FormDataContentType()}), &upload)
	order, _ := json.Marshal(map[string]string{"video_url": upload.VideoURL})
	var job struct{ ID, Status string }
	headers := map[string]string{"Content-Type": "application/json", "Idempotency-Key": fmt.Sprint("go-", time.Now().UnixNano())}
	parse(call("POST", "/v1/jobs", order, headers), &job)
	for {
		parse(call("GET", "/v1/jobs/"+job.ID, nil, nil), &job)
		if job.Status == "completed" {
			break
		}
		if job.Status == "failed" {
			log.Fatal(job.Status)
		}
		time.Sleep(2 * time.Second)
	}
	var download struct {
		URL string `json:"download_url"`
	}
	parse(call("GET", "/api/download/"+job.ID, nil, nil), &download)
	must(os.WriteFile(os.Args[4], call("GET", download.URL, nil, nil), 0o644))
}

func parse(content []byte, into any) { must(json.Unmarshal(content, into)) }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
