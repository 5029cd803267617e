/** Patterns for paths: `*` and `?` within a part, `**` over parts; a pattern without `/` is for the last part, one for a folder for all below. */

const compiled = new Map<string, RegExp>()

/** Tells whether a path with `/` between its parts fits a pattern. */
export function matchesGlob(path: string, glob: string): boolean {
  const known = compiled.get(glob) ?? compile(glob)
  compiled.set(glob, known)
  return known.test(path.replace(/^\.\//, ''))
}

function compile(glob: string): RegExp {
  const clean = glob.replace(/^\.?\//, '').replace(/\/$/, '')
  const parts = clean.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, token => (token === '**/' ? '(?:.*/)?' : token === '**' ? '.*' : token === '*' ? '[^/]*' : token === '?' ? '[^/]' : `\\${token}`))
  return new RegExp(`^${clean.includes('/') ? '' : '(?:.*/)?'}${parts}(?:/.*)?$`)
}
