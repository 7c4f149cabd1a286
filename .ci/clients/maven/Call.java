import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;

/** What each program in this folder is called with, and how it says what its caller's code gets to see. */
final class Call {
  static final String url = System.getenv("URL");
  static final String method = System.getenv("METHOD");
  static final boolean isPost = method.equals("POST");
  /** Whether the settings that keep the rules are tried; else the library is left as it comes. */
  static final boolean careful = "careful".equals(System.getenv("SETTINGS"));
  /** ms; 0: the library's own. */
  static final int timeout = System.getenv("TIMEOUT").isEmpty() ? 0 : Integer.parseInt(System.getenv("TIMEOUT"));
  static final String json = "{\"video_url\":\"https://example.com/cat.mp4#t=5\"}";
  /** Nobody waits longer for an answer: who is asked to gives up. */
  static final long longest = 60_000;
  /** One key for one order: each try sends the same. */
  private static final String orderKey = UUID.randomUUID().toString();

  static Map<String, String> headers() {
    var headers = new LinkedHashMap<String, String>();
    headers.put("X-Api-Key", System.getenv("KEY"));
    if (careful && isPost) headers.put("Idempotency-Key", orderKey);
    return headers;
  }

  /** What Retry-After asks for, in ms; 0 without one. */
  static long retryAfter(String value) {
    if (value == null) return 0;
    if (value.matches("\\d+")) return Long.parseLong(value) * 1000;
    try {
      var at = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Math.max(0, Duration.between(Instant.now(), at).toMillis());
    } catch (java.time.DateTimeException e) {
      return 0;
    }
  }

  /** 1 to 2 s, 2 to 4 s, 4 to 8 s, then 8 to 16 s, in ms; n is 0 for the first. */
  static long backoff(int n) {
    return (long) (1000 * Math.pow(2, Math.min(n, 3)) * (1 + Math.random()));
  }

  /** What may be sent again: a request that was limited, or that the server failed at. */
  static boolean isTransient(int status, String retryAfter) {
    return (status == 429 || status >= 500) && retryAfter(retryAfter) <= longest;
  }

  /** One try of Java's own client, for what runs any function again. */
  static final class Refused extends RuntimeException {
    final int status;
    final String retryAfter;

    Refused(HttpResponse<String> answer) {
      super("status " + answer.statusCode());
      status = answer.statusCode();
      retryAfter = answer.headers().firstValue("Retry-After").orElse(null);
    }
  }

  private static final HttpClient client = HttpClient.newHttpClient();

  static HttpResponse<String> send() throws Exception {
    var request = HttpRequest.newBuilder(URI.create(url));
    headers().forEach(request::header);
    if (timeout > 0) request.timeout(Duration.ofMillis(timeout));
    if (isPost) request.header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(json));
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  static int sendOrThrow() throws Exception {
    var answer = send();
    if (answer.statusCode() > 299) throw new Refused(answer);
    return answer.statusCode();
  }

  /** Prints the status that the call returned, or what it threw. */
  static void tell(Callable<Integer> call) {
    try {
      System.out.println("answer " + call.call());
    } catch (Throwable error) {
      var text = new StringBuilder("error ");
      for (var one = error; one != null; one = one.getCause()) {
        if (one != error) text.append(" <- ");
        text.append(one.getClass().getSimpleName()).append(" \"").append(one.getMessage()).append('"');
      }
      System.out.println(text.toString().replace('\n', ' '));
    }
    Runtime.getRuntime().halt(0);
  }
}
