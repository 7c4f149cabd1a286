import java.time.Duration;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;

public class OkHttp {
  public static void main(String[] args) {
    var builder = new OkHttpClient.Builder();
    if (Call.timeout > 0) builder.readTimeout(Duration.ofMillis(Call.timeout));
    var request = new Request.Builder().url(Call.url);
    Call.headers().forEach(request::header);
    if (Call.isPost) request.post(RequestBody.create(Call.json, MediaType.get("application/json")));
    Call.tell(() -> {
      try (var answer = builder.build().newCall(request.build()).execute()) {
        return answer.code();
      }
    });
  }
}
