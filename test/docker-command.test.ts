/** `5x5 docker` and `5x5 trace --compose` as they print: fixtures/docker/commands has what each command line of `commands.txt` gives. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run } from '../cli/run.ts'
import { plain } from '../src/report/paint.ts'
import { printedBy } from './printed-by.ts'

const FOLDER = 'fixtures/docker/commands'

describe('prints', () => {
  const lines = readFileSync(`${FOLDER}/commands.txt`, 'utf8').split('\n').filter(line => line !== '')

  test.each(lines)('%s', async line => {
    const [name = '', ...words] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2] ?? '')
    await expect(await printedBy(words, '.')).toMatchFileSnapshot(`${process.cwd()}/${FOLDER}/${name}.out`)
  })
})

test('the rules are written into a folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), '5x5-docker-'))
  try {
    const printed: string[] = []
    const write = (text: string): void => void printed.push(text)
    const code = await run(['docker', 'fixtures/docker/readme/solo.yaml', '-o', join(folder, 'deep')], { out: write, err: write, paint: plain, paintErr: plain, directory: '.' })
    expect(code).toBe(0)
    expect(printed.join('')).toContain('rules.v6.\n')
    expect(readFileSync(join(folder, 'deep', 'rules.v4'), 'utf8')).toContain('-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n')
    expect(readFileSync(join(folder, 'deep', 'rules.v6'), 'utf8')).toContain(':DOCKER - [0:0]\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  [['docker'], 'which compose file?'],
  [['docker', 'fixtures/docker/readme/solo.yaml', 'fixtures/docker/readme/compose.yaml'], 'what is `fixtures/docker/readme/compose.yaml`?'],
  [['docker', 'fixtures/docker/readme/solo.yaml', '--engine', '19.03'], '`19.03` is no release of the engine that is known'],
  [['docker', 'fixtures/docker/readme/none.yaml'], 'does not exist'],
  [['docker', 'fixtures/docker/readme/solo.yaml', '--base', 'fixtures/check/readme.rules'], 'the rules of `--base` cannot be read'],
  [['trace', '--engine', '29', 'x.rules', 'tcp 10.0.0.1 > 10.0.0.2:1'], 'are about a compose file'],
  [['trace', '--compose', 'fixtures/docker/readme/solo.yaml', 'tcp wbe > HOST:80'], 'did you mean `web`?'],
  [['trace', '--compose', 'fixtures/docker/broken/ports.yaml', 'tcp web > HOST:80'], 'cannot be used'],
])('5x5 %j is refused', async (words, message) => {
  expect(await printedBy(words, '.')).toMatch(new RegExp(`${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[\\s\\S]*\\(exit code 2\\)`))
})
