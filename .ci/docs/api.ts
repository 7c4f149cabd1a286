/** Tables of the public interfaces, made from their declarations and the doc comments on them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../base/paths.ts'

export interface ApiMember {
  name: string
  /** As it is called or read: `clockOf(key: string)`, `seed`. */
  signature: string
  /** The type, or what a method returns. */
  type: string
  /** The doc comment, in one line. */
  text: string
}

/** The members of an exported interface of `file`. Throws where there is none, and for a member without a doc comment. */
export function membersOf(file: string, name: string): ApiMember[] {
  const source = ts.createSourceFile(file, readFileSync(join(packageRoot, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    (one): one is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(one) && one.name.text === name,
  )
  if (found === undefined) throw new Error(`${file} has no interface ${name}`)
  return found.members.map(member => {
    const text = commentOf(member)
    const memberName = member.name?.getText(source) ?? ''
    if (text === '') throw new Error(`${file}: ${name}.${memberName} has no doc comment`)
    if (ts.isMethodSignature(member)) {
      const given = member.parameters.map(one => plain(one.getText(source)))
      return { name: memberName, signature: `${memberName}(${given.join(', ')})`, type: typeOf(member, source), text }
    }
    return { name: memberName, signature: memberName, type: typeOf(member as ts.PropertySignature, source), text }
  })
}

const typeOf = (member: { type?: ts.TypeNode | undefined }, source: ts.SourceFile): string =>
  plain(member.type?.getText(source) ?? '')

/** What a generic type comes down to, for a reader. */
const plain = (type: string): string =>
  type
    .replace(/\s+/g, ' ')
    .replace(/EntryOf<F>/g, 'JournalEntry')
    .replace(/Known<F>/g, 'JournalFilter')
    .replace(/JournalPage<JournalEntry>/g, 'JournalPage')
    .replace(/\bRuleFormat\b/g, 'Rule')
    .replace(/ \| \(string & \{\}\)/g, ' | string')

const commentOf = (member: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(member)
    .map(doc => (typeof doc.comment === 'string' ? doc.comment : ''))
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim()
