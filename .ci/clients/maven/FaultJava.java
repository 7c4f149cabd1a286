import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;

/** java.net.http.HttpClient under one fault. It reads the body before it returns, and knows no JSON. */
public class FaultJava {
  public static void main(String[] args) throws Exception {
    var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    var timeout = Duration.ofMillis(Call.timeout);
    var warm = System.getenv("WARM");
    if (warm != null && !warm.isEmpty())
      client.send(of(warm).timeout(timeout).build(), BodyHandlers.ofString());
    var request = of(Call.url).timeout(timeout);
    var body = System.getenv("BODY");
    if (body != null && !body.isEmpty())
      request.method(Call.method, HttpRequest.BodyPublishers.ofFile(Path.of(body))).header("Content-Type", System.getenv("TYPE"));
    try {
      var answer = client.send(request.build(), BodyHandlers.ofString());
      System.out.printf(
          "{\"where\":\"none\",\"status\":%d,\"bytes\":%d,\"value\":\"object\"}%n", answer.statusCode(), answer.body().length());
    } catch (Exception error) {
      var text = new StringBuilder(one(error));
      if (error.getCause() != null) text.append(" <- ").append(one(error.getCause()));
      System.out.printf("{\"where\":\"call\",\"error\":\"%s\"}%n", text.toString().replace("\\", "").replace("\"", "\\\""));
    }
    Runtime.getRuntime().halt(0);
  }

  private static HttpRequest.Builder of(String url) {
    return HttpRequest.newBuilder(URI.create(url)).header("X-Api-Key", System.getenv("KEY"));
  }

  private static String one(Throwable error) {
    return error.getClass().getSimpleName() + " \"" + error.getMessage() + "\"";
  }
}
