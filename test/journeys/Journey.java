// Upload, create, poll, download with java.net.http: java Journey.java URL KEY CLIP OUTPUT
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

class Journey {
  static final HttpClient client = HttpClient.newHttpClient();
  static String url, key;

  static byte[] call(String method, String path, BodyPublisher body, String... headers) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(path.contains("://") ? path : url + path))
        .method(method, body).header("X-Api-Key", key);
    if (headers.length > 0) request.headers(headers);
    for (int tries = 0; tries < 4; tries++) {
      HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
      if (answer.statusCode() == 200) return answer.body();
      if (answer.statusCode() != 429) throw new IllegalStateException(method + " " + path + ": " + answer.statusCode());
      Thread.sleep(1000 * answer.headers().firstValueAsLong("Retry-After").getAsLong());
    }
    throw new IllegalStateException("429 four times");
  }

  static String field(byte[] json, String name) {
    var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(new String(json));
    if (!found.find()) throw new IllegalStateException("no " + name);
    return found.group(1);
  }

  static byte[] get(String path) throws Exception {
    return call("GET", path, BodyPublishers.noBody());
  }

  public static void main(String[] args) throws Exception {
    url = args[0];
    key = args[1];
    String boundary = UUID.randomUUID().toString();
    String head = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"clip.mp4\"\r\n\r\n";
    // Of no length that is known before: it goes in chunks.
    var form = BodyPublishers.ofByteArrays(List.of(head.getBytes(), Files.readAllBytes(Path.of(args[2])),
        ("\r\n--" + boundary + "--\r\n").getBytes()));
    byte[] upload = call("POST", "/v1/uploads", form, "Content-Type", "multipart/form-data; boundary=" + boundary);
    var order = BodyPublishers.ofString("{\"video_url\":\"" + field(upload, "video_url") + "\"}");
    String id = field(call("POST", "/v1/jobs", order, "Content-Type", "application/json",
        "Idempotency-Key", UUID.randomUUID().toString()), "id");
    for (;;) {
      String status = field(get("/v1/jobs/" + id), "status");
      if (status.equals("completed")) break;
      if (status.equals("failed")) throw new IllegalStateException(status);
      Thread.sleep(2000);
    }
    Files.write(Path.of(args[3]), get(field(get("/api/download/" + id), "download_url")));
  }
}
