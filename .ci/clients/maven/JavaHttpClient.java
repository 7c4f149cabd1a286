/** java.net.http.HttpClient, which repeats only what its connection lost. */
public class JavaHttpClient {
  public static void main(String[] args) {
    Call.tell(() -> Call.send().statusCode());
  }
}
