import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.HttpRequestRetryStrategy;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.TimeValue;

public class ApacheHttpClient {
  // <careful>
  static class Careful implements HttpRequestRetryStrategy {
    private static String hint(HttpResponse answer) {
      var header = answer.getFirstHeader("Retry-After");
      return header == null ? null : header.getValue();
    }

    public boolean retryRequest(HttpRequest request, java.io.IOException error, int tries, HttpContext context) {
      return tries <= 4;
    }

    public boolean retryRequest(HttpResponse answer, int tries, HttpContext context) {
      return tries <= 4 && Call.isTransient(answer.getCode(), hint(answer));
    }

    public TimeValue getRetryInterval(HttpRequest request, java.io.IOException error, int tries, HttpContext context) {
      return TimeValue.ofMilliseconds(Call.backoff(tries - 1));
    }

    public TimeValue getRetryInterval(HttpResponse answer, int tries, HttpContext context) {
      return TimeValue.ofMilliseconds(Math.max(Call.backoff(tries - 1), Call.retryAfter(hint(answer))));
    }
  }

  // </careful>

  public static void main(String[] args) {
    var builder = HttpClients.custom();
    if (Call.careful) builder.setRetryStrategy(new Careful());
    if (Call.timeout > 0)
      builder.setDefaultRequestConfig(RequestConfig.custom().setResponseTimeout(Call.timeout, TimeUnit.MILLISECONDS).build());
    var request = ClassicRequestBuilder.create(Call.method).setUri(Call.url);
    Call.headers().forEach(request::addHeader);
    if (Call.isPost) request.setEntity(Call.json, ContentType.APPLICATION_JSON);
    Call.tell(() -> builder.build().execute(request.build(), answer -> answer.getCode()));
  }
}
