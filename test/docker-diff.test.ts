/** `5x5 docker --diff-engines`: what an upgrade of the engine means, over all packets. */

import { expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

interface DiffJson {
  readonly ipv4: { readonly equal: boolean; readonly whole: boolean; readonly changes: readonly { readonly change: string; readonly example: string; readonly after: { readonly by: string; readonly reason?: string } }[] }
}

async function diffOf(...words: readonly string[]): Promise<DiffJson['ipv4']> {
  const printed = await printedBy(['docker', ...words, '--family', 'ipv4', '--json'], '.')
  return (JSON.parse(printed.replace(/\(exit code \d\)\n$/, '')) as DiffJson).ipv4
}

test('28 shuts what 27 left open: packets that are sent straight to a container', async () => {
  const { equal, whole, changes } = await diffOf('fixtures/docker/readme/compose.yaml', '--diff-engines', '27', '29')
  expect({ equal, whole }).toEqual({ equal: false, whole: true })
  const direct = changes.find(({ change, example }) => change === 'no longer let through' && / > 172\.19\.0\.2:80\b/.test(example))
  expect(direct?.after).toMatchObject({ by: '29/rules.v4:4', reason: "nobody outside br-front sends straight to the address of container shop-web-1: published ports are reached by the host's address" })
})

test('releases of one flavor do the same', async () => {
  expect(await diffOf('fixtures/docker/readme/compose.yaml', '--diff-engines', '28.3,28.5.2')).toMatchObject({ equal: true, whole: true })
})

test('29 translates what containers of other networks send to published ports, 28 left it to the proxy', async () => {
  const { changes } = await diffOf('fixtures/docker/readme/compose.yaml', '--diff-engines', '28.5', '29')
  expect(changes.map(({ change, example }) => `${change}: ${example}`)).toContain('sent elsewhere: docker0 tcp 172.17.0.2:40000 > 172.17.0.1:8080 syn')
})

test('a difference is told in words', async () => {
  const printed = await printedBy(['docker', 'fixtures/docker/readme/compose.yaml', '--diff-engines', '27', '29'], '.')
  expect(printed).toContain('no longer let through\n')
  expect(printed).toMatch(/They differ for \d reasons?, and for unusual packets\.\n/)
  expect(printed).toContain('IPv6\n\nEngine 29 does with every packet what engine 27 does.\n')
})

test('for one network alone 28.5 and 29 mean the same though they say it in other words', async () => {
  expect(await diffOf('fixtures/docker/readme/solo.yaml', '--diff-engines', '28.5', '29')).toMatchObject({ equal: true, whole: true })
})

test.each([
  [['--diff-engines', '27'], 'needs two releases'],
  [['--diff-engines', '19,29'], '`19` is no release'],
])('%j is refused', async (flags, message) => {
  expect(await printedBy(['docker', 'fixtures/docker/readme/solo.yaml', ...flags], '.')).toContain(message)
})
