/** `understudy completion bash|zsh|fish`: what a shell completes, made from the commands and options themselves. */
import type { Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Where each shell is told of it. */
export const completionHint: Readonly<Record<Shell, string>> = {
  bash: 'source <(understudy completion bash)      # in ~/.bashrc',
  zsh: 'source <(understudy completion zsh)       # in ~/.zshrc, after compinit',
  fish: 'understudy completion fish | source       # in ~/.config/fish/config.fish',
}

/** The script for a shell, of a program whose verbs are all loaded. */
export function completionScript(shell: Shell, program: Command): string {
  const all = commandsBelow(program, [])
  if (shell === 'fish') return fishScript(all)
  const script = bashScript(all)
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${script}` : script
}

interface Completed {
  /** "drill burst"; empty for the program itself. */
  path: readonly string[]
  commands: { name: string; description: string }[]
  flags: { name: string; description: string; takesValue: boolean }[]
}

function commandsBelow(command: Command, path: readonly string[]): Completed[] {
  const { commands, options } = command
  const flags = options.flatMap(({ long, description, required, optional }) =>
    long ? [{ name: long, description, takesValue: required || optional }] : [],
  )
  const own: Completed = {
    path,
    commands: commands.map(one => ({ name: one.name(), description: one.description() })),
    flags: [...flags, { name: '--help', description: 'print this help', takesValue: false }],
  }
  return [own, ...commands.flatMap(one => commandsBelow(one, [...path, one.name()]))]
}

/** What is no command and no flag is left to the shell: files. */
function bashScript(all: readonly Completed[]): string {
  const named = all.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`)
  const words = all.map(({ path, commands, flags }) => {
    const names = [...commands, ...flags].map(({ name }) => name)
    return `    '${path.join(' ')}') words='${names.join(' ')}' ;;`
  })
  return `# understudy completion
_understudy() {
  local path='' next word words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -- ]] && return
    next="\${path:+$path }$word"
    case $next in
    ${named.join(' | ')}) path=$next ;;
    esac
  done
  case $path in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _understudy understudy understudy-mock
`
}

function fishScript(all: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\s+/g, ' ')}'`
  const lines = all.flatMap(({ path, commands, flags }) => {
    const seen = path.map(name => `__fish_seen_subcommand_from ${name}`)
    const unseen =
      commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`] : []
    const when = (conditions: string[]) => (conditions.length > 0 ? ` -n ${quoted(conditions.join('; and '))}` : '')
    return [
      ...commands.map(
        ({ name, description }) =>
          `complete -c understudy${when([...seen, ...unseen])} -f -a ${name} -d ${quoted(description)}`,
      ),
      ...flags.map(
        ({ name, description, takesValue }) =>
          `complete -c understudy${when([...seen, ...unseen])} -l ${name.slice(2)}${takesValue ? ' -r' : ''} -d ${quoted(description)}`,
      ),
    ]
  })
  return `# understudy completion\n${lines.join('\n')}\ncomplete -c understudy-mock -w understudy\n`
}
