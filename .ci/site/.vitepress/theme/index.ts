/** The default theme with the fonts of the reader's system: none is loaded. */
import Theme from 'vitepress/theme-without-fonts'
import './style.css'

export default {
  extends: Theme,
  enhanceApp() {
    if (typeof document !== 'undefined') document.addEventListener('click', copyCommands, true)
  },
}

/** Of a console only the commands are copied: no prompt, and none of what they print. */
function copyCommands(event) {
  const block = event.target.closest?.('button.copy')?.closest('.language-console')
  if (!block) return
  event.stopPropagation()
  let isCommand = false
  const lines = block
    .querySelector('pre code')
    .textContent.split('\n')
    .flatMap(line => {
      const isShown = isCommand || line.startsWith('$ ')
      isCommand = isShown && line.endsWith('\\')
      return isShown ? [line.replace(/^\$ /, '')] : []
    })
  navigator.clipboard.writeText(lines.join('\n'))
  event.target.classList.add('copied')
  setTimeout(() => event.target.classList.remove('copied'), 2000)
}
