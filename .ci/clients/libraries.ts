/** The one table of what is measured: each library with its pinned version and where it comes from. */

export type Registry = 'npm' | 'pypi' | 'go' | 'crates' | 'maven' | 'system'

export interface Library {
  /** As the page's row is called; `npm run clients -- NAME` makes it again. */
  readonly name: string
  readonly registry: Registry
  /** The program in the registry's folder, without its ending. */
  readonly program: string
  /** Packages with their versions; the first is the library itself. Of `system` none: what the machine has. */
  readonly packages: Readonly<Record<string, string>>
  /** Whether it sends requests itself, or runs any function again and knows nothing of HTTP. */
  readonly kind: 'http' | 'any'
  /** What of it was run: the readme's first example, with its retry switched on where it is off. */
  readonly example: string
  /** Where its own documentation speaks of it. */
  readonly docs: string
}

const library = (
  registry: Registry,
  kind: Library['kind'],
  name: string,
  packages: Library['packages'],
  example: string,
  docs: string,
  program = name,
): Library => ({ name, registry, kind, program, packages, example, docs })

const axios = { axios: '1.21.1' }
const undici = { undici: '8.13.1' }
const onGitHub = (path: string): string => `https://github.com/${path}`

/** The Node that runs the npm libraries; a package of npm too. */
export const nodeVersion = '24.22.3'

export const libraries: readonly Library[] = [
  library('npm', 'http', 'got', { got: '16.1.0' }, '`got(url)`', onGitHub('sindresorhus/got/blob/main/documentation/7-retry.md')),
  library('npm', 'http', 'ky', { ky: '2.1.0' }, '`ky(url)`', onGitHub('sindresorhus/ky#retry')),
  library('npm', 'http', 'axios-retry', { 'axios-retry': '4.5.0', ...axios }, '`axiosRetry(axios, { retries: 3 })`', onGitHub('softonic/axios-retry#options')),
  library('npm', 'http', 'retry-axios', { 'retry-axios': '4.0.3', ...axios }, '`rax.attach()`', onGitHub('JustinBeckwith/retry-axios#usage')),
  library('npm', 'http', 'undici RetryAgent', undici, '`new RetryAgent(new Agent())`', 'https://undici.nodejs.org/#/docs/api/RetryAgent', 'undici-agent'),
  library('npm', 'http', 'undici interceptors.retry', undici, '`new Agent().compose(interceptors.retry())`', 'https://undici.nodejs.org/#/docs/api/Dispatcher', 'undici-interceptor'),
  library('npm', 'http', 'undici fetch + RetryAgent', undici, '`fetch(url, { dispatcher: new RetryAgent(new Agent()) })`', 'https://undici.nodejs.org/#/docs/api/RetryAgent', 'undici-fetch'),
  library('npm', 'http', 'fetch-retry', { 'fetch-retry': '6.0.0' }, '`fetch(url, { retries: 3, retryDelay: 1000 })`', onGitHub('jonbern/fetch-retry#example')),
  library('npm', 'http', 'ofetch', { ofetch: '1.5.1' }, '`ofetch(url)`', onGitHub('unjs/ofetch#%EF%B8%8F-auto-retry')),
  library('npm', 'http', 'wretch', { wretch: '3.0.9' }, '`wretch(url).middlewares([retry()])`', onGitHub('elbywan/wretch#middlewares')),
  library('npm', 'http', 'superagent', { superagent: '10.4.2' }, '`superagent.get(url).retry(3)`', 'https://ladjs.github.io/superagent/#retrying-requests'),
  library('npm', 'http', 'make-fetch-happen', { 'make-fetch-happen': '16.0.1' }, '`fetch(url, { retry: 3 })`', onGitHub('npm/make-fetch-happen#opts-retry')),
  library('npm', 'http', 'gaxios', { gaxios: '8.3.3' }, '`request({ url, retry: true })`', onGitHub('googleapis/gaxios#request-options')),
  library('npm', 'http', '@azure/core-rest-pipeline', { '@azure/core-rest-pipeline': '1.25.1' }, '`createPipelineFromOptions({})`', 'https://learn.microsoft.com/javascript/api/@azure/core-rest-pipeline/pipelineretryoptions', 'azure'),
  library('npm', 'http', 'openai (npm)', { openai: '7.59.0' }, '`new OpenAI()`', onGitHub('openai/openai-node#retries'), 'openai'),
  library('npm', 'any', 'p-retry', { 'p-retry': '9.0.0' }, '`pRetry(run, { retries: 5 })`, where `run` throws on `!ok`', onGitHub('sindresorhus/p-retry#options')),
  library('npm', 'any', 'async-retry', { 'async-retry': '1.3.3' }, '`retry(run, { retries: 5 })`, where `run` throws on `!ok`', onGitHub('vercel/async-retry#api')),
  library('npm', 'any', 'cockatiel', { cockatiel: '4.0.0' }, '`retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() })`', onGitHub('connor4312/cockatiel#retrypolicy-options')),
  library('pypi', 'http', 'requests + Retry', { requests: '2.34.2', urllib3: '2.8.0' }, "the example of its docs: `Retry(total=3, backoff_factor=0.1, status_forcelist=[502, 503, 504], allowed_methods={'POST'})`", 'https://requests.readthedocs.io/en/latest/user/advanced/#example-automatic-retries', 'requests_urllib3'),
  library('pypi', 'http', 'requests max_retries=3', { requests: '2.34.2', urllib3: '2.8.0' }, '`HTTPAdapter(max_retries=3)`', 'https://requests.readthedocs.io/en/latest/api/#requests.adapters.HTTPAdapter', 'requests_int'),
  library('pypi', 'http', 'urllib3', { urllib3: '2.8.0' }, '`urllib3.request(method, url)`', 'https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html#urllib3.util.Retry', 'urllib3_alone'),
  library('pypi', 'http', 'httpx', { httpx: '0.28.1' }, '`httpx.HTTPTransport(retries=3)`', 'https://www.python-httpx.org/advanced/transports/#http-transport', 'httpx_retries'),
  library('pypi', 'http', 'aiohttp-retry', { 'aiohttp-retry': '2.9.1', aiohttp: '3.14.5' }, '`RetryClient(raise_for_status=False, retry_options=ExponentialRetry(attempts=3))`', onGitHub('inyutin/aiohttp_retry#examples-of-usage'), 'aiohttp_retry_client'),
  library('pypi', 'http', 'openai (PyPI)', { openai: '3.57.0' }, '`OpenAI()`', onGitHub('openai/openai-python#retries'), 'openai_client'),
  library('pypi', 'any', 'tenacity', { tenacity: '9.2.1' }, '`@retry(stop=stop_after_attempt(7))`; the bare `@retry` of its first example never ends and never waits', 'https://tenacity.readthedocs.io/en/latest/#stopping', 'tenacity_retry'),
  library('pypi', 'any', 'backoff', { backoff: '2.2.1' }, '`@backoff.on_exception(backoff.expo, httpx.HTTPError)`', onGitHub('litl/backoff#backoffon_exception'), 'backoff_expo'),
  library('pypi', 'any', 'stamina', { stamina: '26.1.0' }, '`@stamina.retry(on=httpx.HTTPError, attempts=3)`', 'https://stamina.hynek.me/en/stable/tutorial.html', 'stamina_retry'),
  library('system', 'http', 'curl', {}, '`curl --retry 3`', 'https://curl.se/docs/manpage.html#--retry'),
  library('system', 'http', 'wget', {}, '`wget --tries=3`; its default is 20', 'https://www.gnu.org/software/wget/manual/wget.html#index-tries'),
  library('go', 'http', 'go-retryablehttp', { 'github.com/hashicorp/go-retryablehttp': '0.7.8' }, '`retryablehttp.NewClient()` with `RetryMax` 3', onGitHub('hashicorp/go-retryablehttp#use'), 'retryablehttp'),
  library('go', 'http', 'resty', { 'github.com/go-resty/resty/v2': '2.17.2' }, '`SetRetryCount(3).SetRetryWaitTime(5 * time.Second).SetRetryMaxWaitTime(20 * time.Second)`', onGitHub('go-resty/resty/tree/v2#retries')),
  library('go', 'http', 'failsafe-go', { 'github.com/failsafe-go/failsafe-go': '0.9.8' }, '`failsafehttp.NewRetryPolicyBuilder().Build()`', 'https://failsafe-go.dev/http/', 'failsafe'),
  library('go', 'any', 'cenkalti/backoff', { 'github.com/cenkalti/backoff/v5': '5.0.3' }, '`backoff.Retry(ctx, operation)` of its documentation, which reads `Retry-After` of a 429 itself', 'https://pkg.go.dev/github.com/cenkalti/backoff/v5#example-Retry', 'backoff'),
  library('maven', 'http', 'java.net.http.HttpClient', {}, '`HttpClient.newHttpClient()`', 'https://docs.oracle.com/en/java/javase/17/docs/api/java.net.http/java/net/http/HttpClient.html', 'JavaHttpClient'),
  library('maven', 'http', 'OkHttp', { 'com.squareup.okhttp3:okhttp-jvm': '5.5.1' }, '`new OkHttpClient()`', 'https://square.github.io/okhttp/recipes/', 'OkHttp'),
  library('maven', 'http', 'Apache HttpClient', { 'org.apache.httpcomponents.client5:httpclient5': '5.6.5' }, '`HttpClients.createDefault()`', 'https://hc.apache.org/httpcomponents-client-5.6.x/', 'ApacheHttpClient'),
  library('maven', 'any', 'resilience4j', { 'io.github.resilience4j:resilience4j-retry': '2.4.0' }, "`Retry.ofDefaults(name)` around Java's own client, which throws on a status that is not 2xx", 'https://resilience4j.readme.io/docs/retry', 'Resilience4j'),
  library('crates', 'http', 'reqwest-retry', { 'reqwest-retry': '0.9.1' }, '`RetryTransientMiddleware` with `ExponentialBackoff::builder().build_with_max_retries(3)`', 'https://docs.rs/reqwest-retry'),
  library('crates', 'any', 'backon', { backon: '1.6.0' }, '`send.retry(ExponentialBuilder::default())`, with `error_for_status()`', 'https://docs.rs/backon'),
]
