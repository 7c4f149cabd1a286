import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;

public class Resilience4j {
  public static void main(String[] args) {
    var retry = Call.careful ? Retry.of("careful", careful()) : Retry.ofDefaults("backend");
    Call.tell(Retry.decorateCallable(retry, Call::sendOrThrow));
  }

  static RetryConfig careful() {
    // <careful>
    return RetryConfig.<Integer>custom()
        .maxAttempts(5)
        .retryOnException(error ->
            !(error instanceof Call.Refused refused) || Call.isTransient(refused.status, refused.retryAfter))
        .intervalBiFunction((n, result) -> {
          var hint = result.isLeft() && result.getLeft() instanceof Call.Refused refused ? refused.retryAfter : null;
          return Math.max(Call.backoff(n - 1), Call.retryAfter(hint));
        })
        .build();
    // </careful>
  }
}
