// What stands behind MSK's brokers: is shown a token and says whose it is. Who knows that is asked over HTTP.
import java.io.IOException;
import java.net.URI;
import java.net.http.*;
import java.util.*;
import javax.security.auth.callback.*;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.*;

public class IamTokens implements AuthenticateCallbackHandler {
  record Token(String value, String principalName, long lifetimeMs) implements OAuthBearerToken {
    public Set<String> scope() { return Set.of(); }
    public Long startTimeMs() { return null; }
  }

  private final HttpClient http = HttpClient.newHttpClient();

  public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

  public void close() {}

  public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
    for (Callback callback : callbacks)
      if (callback instanceof OAuthBearerValidatorCallback question) judge(question);
      else if (!(callback instanceof OAuthBearerExtensionsValidatorCallback)) throw new UnsupportedCallbackException(callback);
  }

  // The answer is the name and, in ms since the epoch, when the token ends; or with another status why it is refused.
  private void judge(OAuthBearerValidatorCallback question) throws IOException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(System.getProperty("iam.judge")))
        .POST(HttpRequest.BodyPublishers.ofString(question.tokenValue())).build();
    try {
      HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
      String[] words = answer.body().split(" ");
      if (answer.statusCode() == 200) question.token(new Token(question.tokenValue(), words[0], Long.parseLong(words[1])));
      else question.error("invalid_token", null, null);
    } catch (InterruptedException error) {
      throw new IOException(error);
    }
  }
}
