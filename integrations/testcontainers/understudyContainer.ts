/** The mock in a container, for tests with Testcontainers: its port, when it is ready, and a client of its control routes. */
import { AbstractStartedContainer, GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'
import { type ConnectedMock, connectMock } from 'understudy-mock/client'

const port = 4010

export class UnderstudyContainer extends GenericContainer {
  readonly #adminToken = crypto.randomUUID()

  /** `image` is one that you have built from the Dockerfile of Understudy: docker build -t understudy . */
  constructor(image = 'understudy') {
    super(image)
    this.withExposedPorts(port)
      // A container is not on loopback: without a token its control routes are closed.
      .withEnvironment({ UNDERSTUDY_ADMIN_TOKEN: this.#adminToken, UNDERSTUDY_SPEED: 'instant' })
      .withWaitStrategy(Wait.forHttp('/health', port).forStatusCode(200))
  }

  /** An option of `understudy serve` by the name of its variable: withOption('seed', '42'). */
  withOption(name: string, value: string): this {
    return this.withEnvironment({ [`UNDERSTUDY_${name.toUpperCase().replaceAll('-', '_')}`]: value })
  }

  override async start(): Promise<StartedUnderstudyContainer> {
    const started = await super.start()
    const url = `http://${started.getHost()}:${started.getMappedPort(port)}`
    return new StartedUnderstudyContainer(started, url, await connectMock(url, { adminToken: this.#adminToken }))
  }
}

export class StartedUnderstudyContainer extends AbstractStartedContainer {
  constructor(
    container: StartedTestContainer,
    /** What the client takes as its base URL. */
    readonly url: string,
    /** The methods of startMock()'s result. */
    readonly mock: ConnectedMock,
  ) {
    super(container)
  }

  protected override async containerStopping(): Promise<void> {
    await this.mock.close()
  }
}
