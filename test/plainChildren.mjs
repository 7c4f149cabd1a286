/**
 * Loaded before each test file, by package.json's tap.node-arg. tap has whatever a test starts load its own recorder of
 * coverage, through NODE_OPTIONS. Nobody reads what that records here, it takes each Node as long to start as the command
 * itself, and a user runs the command without it: so a child gets the environment that its test gives it.
 */
import processOnSpawn from 'process-on-spawn'

processOnSpawn.removeAllListeners()
const options = process.env.NODE_OPTIONS?.replace(/"?--import=[^\s"]*@tapjs\/processinfo[^\s"]*"?/, '').trim()
if (options) process.env.NODE_OPTIONS = options
else delete process.env.NODE_OPTIONS
