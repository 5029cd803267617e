/**
 * The productions of the policy language, without actions, with error recovery. A sentence (a line, or lines with the braces that
 * hold them together) is parsed by itself, so that a broken one costs no other and its tree can be forgotten soon.
 */

import { CstParser, EOF } from 'chevrotain'
import type { IParserErrorMessageProvider, IRecognitionException, TokenType } from 'chevrotain'
import { Address, Backticks, Day, LineEnd, Name, PLACED, SIGNS, Text, TOKENS, Whole, WORD } from './policy-tokens.ts'

const SEPARATOR = '\u0000'
const END = 'the end of the line'

/** The messages are made where names are known: here they only carry what was expected. */
const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => labelOf(expected),
  buildNotAllInputParsedMessage: () => END,
  buildNoViableAltMessage: ({ expectedPathsPerAlt }) => [...new Set(expectedPathsPerAlt.flatMap(paths => paths.flatMap(path => path.slice(0, 1).map(labelOf))))].join(SEPARATOR),
  buildEarlyExitMessage: ({ expectedIterationPaths }) => [...new Set(expectedIterationPaths.flatMap(path => path.slice(0, 1).map(labelOf)))].join(SEPARATOR),
}

/** Returns what could have stood where a parse failed: words in backticks, or descriptions such as "an address". */
export function expectedAt(error: IRecognitionException): readonly string[] {
  return error.message.split(SEPARATOR)
}

function labelOf(type: TokenType): string {
  return type === EOF ? END : (type.LABEL ?? (type === Name ? 'a name' : type.name))
}

/** The parser. Every production is one rule of the grammar in README.md, by the same name. */
export class PolicyParser extends CstParser {
  constructor(validations: 'made' | 'skipped') {
    super([...TOKENS], { recoveryEnabled: true, maxLookahead: 3, errorMessageProvider: expectations, nodeLocationTracking: 'onlyOffset', skipValidations: validations === 'skipped' })
    this.performSelfAnalysis()
  }

  readonly stmt = this.RULE('stmt', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.include) },
      { ALT: () => this.SUBRULE(this.let) },
      { ALT: () => this.SUBRULE(this.zone) },
      { ALT: () => this.SUBRULE(this.default) },
      { ALT: () => this.SUBRULE(this.setting) },
      { ALT: () => this.SUBRULE(this.publish) },
      { ALT: () => this.SUBRULE(this.masquerade) },
      { ALT: () => this.SUBRULE(this.snat) },
      { ALT: () => this.SUBRULE(this.redirect) },
      { ALT: () => this.SUBRULE(this.raw) },
      { ALT: () => this.SUBRULE(this.test) },
      { ALT: () => this.SUBRULE(this.rule) },
      { ALT: () => this.SUBRULE(this.block) },
    ])
    this.MANY(() => this.CONSUME(LineEnd))
  })

  readonly include = this.RULE('include', () => {
    this.CONSUME(WORD.include)
    this.CONSUME(Text)
  })

  readonly let = this.RULE('let', () => {
    this.CONSUME(WORD.let)
    this.CONSUME(Name)
    this.CONSUME(SIGNS.equals)
    this.SUBRULE(this.items)
  })

  readonly items = this.RULE('items', () => {
    this.AT_LEAST_ONE_SEP({ SEP: SIGNS.comma, DEF: () => this.SUBRULE(this.item) })
  })

  /** An address, a range of addresses, a service, or the name of another list. */
  readonly item = this.RULE('item', () => {
    this.OR([{ ALT: () => this.SUBRULE(this.addresses) }, { ALT: () => this.SUBRULE(this.service) }])
  })

  readonly addresses = this.RULE('addresses', () => {
    this.CONSUME(Address)
    this.OPTION(() => {
      this.CONSUME(SIGNS.dash)
      this.CONSUME2(Address)
    })
  })

  readonly zone = this.RULE('zone', () => {
    this.CONSUME(WORD.zone)
    this.CONSUME(Name)
    this.CONSUME(SIGNS.equals)
    this.AT_LEAST_ONE_SEP({ SEP: SIGNS.comma, DEF: () => this.SUBRULE(this.device) })
    this.OPTION(() => {
      this.CONSUME(WORD.at)
      this.SUBRULE(this.items)
    })
    this.OPTION2(() => {
      this.CONSUME(WORD.owned)
      this.CONSUME(PLACED.by)
      this.CONSUME2(Name)
    })
  })

  /** A device by name; one that is no name of the language stands in quotes. */
  readonly device = this.RULE('device', () => {
    this.OR([{ ALT: () => this.CONSUME(Name) }, { ALT: () => this.CONSUME(Text) }])
  })

  readonly default = this.RULE('default', () => {
    this.CONSUME(WORD.default)
    this.OR([{ ALT: () => this.CONSUME(PLACED.drop) }, { ALT: () => this.CONSUME(WORD.reject) }])
    this.OPTION(() => this.SUBRULE(this.log))
  })

  readonly setting = this.RULE('setting', () => {
    this.CONSUME(WORD.option)
    this.CONSUME(Name)
    this.CONSUME(SIGNS.equals)
    this.OR([{ ALT: () => this.CONSUME2(Name) }, { ALT: () => this.CONSUME(Text) }, { ALT: () => this.CONSUME(Whole) }])
  })

  readonly rule = this.RULE('rule', () => {
    this.OR([
      { ALT: () => this.CONSUME(WORD.allow) },
      { ALT: () => this.CONSUME(WORD.deny) },
      { ALT: () => this.CONSUME(WORD.reject) },
      { ALT: () => this.CONSUME(WORD.log) },
      { ALT: () => this.CONSUME(WORD.untracked) },
    ])
    this.OPTION(() => this.SUBRULE(this.services))
    this.MANY(() => this.SUBRULE(this.clause))
    this.OPTION2(() => this.CONSUME(Text))
  })

  readonly services = this.RULE('services', () => {
    this.AT_LEAST_ONE_SEP({ SEP: SIGNS.comma, DEF: () => this.SUBRULE(this.service) })
    this.OPTION(() => {
      this.CONSUME(WORD.except)
      this.AT_LEAST_ONE_SEP2({ SEP: SIGNS.comma, DEF: () => this.SUBRULE2(this.service, { LABEL: 'excepted' }) })
    })
  })

  readonly service = this.RULE('service', () => {
    this.OPTION(() => this.CONSUME(WORD.published))
    this.CONSUME(Name)
    this.OPTION2(() => {
      this.CONSUME(SIGNS.slash)
      this.SUBRULE(this.port, { LABEL: 'low' })
      this.OPTION3(() => {
        this.CONSUME(SIGNS.dash)
        this.SUBRULE2(this.port, { LABEL: 'high' })
      })
    })
  })

  readonly port = this.RULE('port', () => {
    this.OR([{ ALT: () => this.CONSUME(Whole) }, { ALT: () => this.CONSUME(Name) }])
  })

  readonly clause = this.RULE('clause', () => {
    this.OR([{ ALT: () => this.SUBRULE(this.firstClause) }, { ALT: () => this.SUBRULE(this.log) }])
  })

  /** A clause with which a block can begin: all but `log`, which would be a rule. */
  readonly firstClause = this.RULE('firstClause', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.from) },
      { ALT: () => this.SUBRULE(this.to) },
      { ALT: () => this.SUBRULE(this.limit) },
      { ALT: () => this.SUBRULE(this.max) },
      { ALT: () => this.SUBRULE(this.until) },
      { ALT: () => this.CONSUME(WORD.ipv4) },
      { ALT: () => this.CONSUME(WORD.ipv6) },
    ])
  })

  readonly from = this.RULE('from', () => {
    this.CONSUME(WORD.from)
    this.SUBRULE(this.ends)
  })

  readonly to = this.RULE('to', () => {
    this.CONSUME(WORD.to)
    this.SUBRULE(this.ends)
  })

  readonly ends = this.RULE('ends', () => {
    this.AT_LEAST_ONE_SEP({ SEP: SIGNS.comma, DEF: () => this.SUBRULE(this.end) })
    this.OPTION(() => {
      this.CONSUME(WORD.except)
      this.AT_LEAST_ONE_SEP2({ SEP: SIGNS.comma, DEF: () => this.SUBRULE2(this.end, { LABEL: 'excepted' }) })
    })
  })

  readonly end = this.RULE('end', () => {
    this.OR([
      { ALT: () => this.CONSUME(WORD.any) },
      { ALT: () => this.CONSUME(WORD.fw) },
      { ALT: () => this.CONSUME(Name) },
      { ALT: () => this.SUBRULE(this.addresses) },
    ])
    this.OPTION(() => {
      this.CONSUME(WORD.in)
      this.OR2([{ ALT: () => this.CONSUME2(Name, { LABEL: 'where' }) }, { ALT: () => this.CONSUME2(WORD.fw, { LABEL: 'where' }) }])
    })
  })

  readonly limit = this.RULE('limit', () => {
    this.CONSUME(WORD.limit)
    this.CONSUME(Whole)
    this.CONSUME(SIGNS.slash)
    this.CONSUME(Name)
    this.OPTION(() => {
      this.CONSUME(WORD.per)
      this.OR([{ ALT: () => this.CONSUME(PLACED.source) }, { ALT: () => this.CONSUME(PLACED.destination) }, { ALT: () => this.CONSUME(PLACED.flow) }])
    })
    this.OPTION2(() => {
      this.CONSUME(WORD.burst)
      this.CONSUME2(Whole, { LABEL: 'size' })
    })
  })

  readonly max = this.RULE('max', () => {
    this.CONSUME(WORD.max)
    this.CONSUME(Whole)
    this.CONSUME(PLACED.connections)
    this.OPTION(() => {
      this.CONSUME(WORD.per)
      this.CONSUME(PLACED.source)
    })
  })

  readonly until = this.RULE('until', () => {
    this.CONSUME(WORD.until)
    this.CONSUME(Day)
  })

  readonly log = this.RULE('log', () => {
    this.CONSUME(WORD.log)
    this.OPTION(() => this.CONSUME(Text))
    this.OPTION2(() => this.SUBRULE(this.limit))
  })

  readonly block = this.RULE('block', () => {
    this.SUBRULE(this.firstClause)
    this.MANY(() => this.SUBRULE(this.clause))
    this.CONSUME(SIGNS.open)
    this.MANY2(() => this.OR([{ ALT: () => this.CONSUME(LineEnd) }, { ALT: () => this.SUBRULE(this.rule) }]))
    this.CONSUME(SIGNS.close)
  })

  readonly publish = this.RULE('publish', () => {
    this.CONSUME(WORD.publish)
    this.SUBRULE(this.services)
    this.CONSUME(WORD.on)
    this.SUBRULE(this.items)
    this.CONSUME(WORD.to)
    this.SUBRULE(this.target)
    this.OPTION(() => this.SUBRULE(this.from))
    this.OPTION2(() => this.SUBRULE(this.family))
    this.OPTION3(() => this.CONSUME(Text))
  })

  /** The family that a sentence is for, where it is not for both. */
  readonly family = this.RULE('family', () => {
    this.OR([{ ALT: () => this.CONSUME(WORD.ipv4) }, { ALT: () => this.CONSUME(WORD.ipv6) }])
  })

  /** An address or the name of one, with a port where it has one; an IPv6 address with a port stands in brackets. */
  readonly target = this.RULE('target', () => {
    this.OR([
      { ALT: () => this.CONSUME(Name) },
      { ALT: () => this.CONSUME(Address) },
      {
        ALT: () => {
          this.CONSUME(SIGNS.openBracket)
          this.CONSUME2(Address)
          this.CONSUME(SIGNS.closeBracket)
        },
      },
    ])
    this.OPTION(() => {
      this.CONSUME(SIGNS.colon)
      this.SUBRULE(this.port)
    })
  })

  readonly masquerade = this.RULE('masquerade', () => {
    this.CONSUME(WORD.masquerade)
    this.SUBRULE(this.ends)
    this.CONSUME(WORD.out)
    this.CONSUME(Name)
    this.OPTION(() => this.SUBRULE(this.family))
    this.OPTION2(() => this.CONSUME(Text))
  })

  readonly snat = this.RULE('snat', () => {
    this.CONSUME(WORD.snat)
    this.SUBRULE(this.ends)
    this.CONSUME(WORD.out)
    this.CONSUME(Name)
    this.CONSUME(WORD.to)
    this.SUBRULE(this.target)
    this.OPTION(() => this.SUBRULE(this.family))
    this.OPTION2(() => this.CONSUME(Text))
  })

  readonly redirect = this.RULE('redirect', () => {
    this.CONSUME(WORD.redirect)
    this.SUBRULE(this.services)
    this.OPTION(() => this.SUBRULE(this.from))
    this.CONSUME(WORD.to)
    this.CONSUME(PLACED.port)
    this.SUBRULE(this.port)
    this.OPTION2(() => this.SUBRULE(this.family))
    this.OPTION3(() => this.CONSUME(Text))
  })

  readonly raw = this.RULE('raw', () => {
    this.CONSUME(WORD.raw)
    this.OPTION(() => this.SUBRULE(this.family))
    // The table raw is called as the statement is.
    this.OR([{ ALT: () => this.CONSUME(Name, { LABEL: 'table' }) }, { ALT: () => this.CONSUME2(WORD.raw, { LABEL: 'table' }) }])
    this.CONSUME2(Name, { LABEL: 'chain' })
    this.OR2([{ ALT: () => this.CONSUME(PLACED.first) }, { ALT: () => this.CONSUME(PLACED.last) }])
    this.CONSUME(Backticks)
  })

  readonly test = this.RULE('test', () => {
    this.CONSUME(WORD.test)
    this.CONSUME(Text)
    this.CONSUME(SIGNS.open)
    this.MANY(() => this.OR([{ ALT: () => this.CONSUME(LineEnd) }, { ALT: () => this.SUBRULE(this.assert) }]))
    this.CONSUME(SIGNS.close)
  })

  readonly assert = this.RULE('assert', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(WORD.expect)
          this.SUBRULE(this.flow)
          this.SUBRULE(this.outcome)
        },
      },
      {
        ALT: () => {
          this.CONSUME(WORD.never)
          this.SUBRULE2(this.flow)
        },
      },
    ])
  })

  readonly flow = this.RULE('flow', () => {
    this.OPTION(() => this.SUBRULE(this.services))
    this.MANY(() =>
      this.OR([{ ALT: () => this.SUBRULE(this.from) }, { ALT: () => this.SUBRULE(this.towards) }, { ALT: () => this.CONSUME(WORD.established) }]),
    )
  })

  /** `to` with the port that is dialled, where one is given. */
  readonly towards = this.RULE('towards', () => {
    this.CONSUME(WORD.to)
    this.SUBRULE(this.ends)
    this.OPTION(() => {
      this.CONSUME(SIGNS.colon)
      this.SUBRULE(this.port)
    })
  })

  readonly outcome = this.RULE('outcome', () => {
    this.OR([
      { ALT: () => this.CONSUME(WORD.accepted) },
      { ALT: () => this.CONSUME(WORD.dropped) },
      { ALT: () => this.CONSUME(WORD.rejected) },
      {
        ALT: () => {
          this.CONSUME(WORD.reaches)
          this.SUBRULE(this.target)
        },
      },
      {
        ALT: () => {
          this.CONSUME(WORD.leaves)
          this.CONSUME(Name)
        },
      },
    ])
    this.OPTION(() => {
      this.CONSUME(WORD.as)
      this.OR2([{ ALT: () => this.CONSUME(WORD.fw) }, { ALT: () => this.SUBRULE2(this.target, { LABEL: 'source' }) }])
    })
  })
}
