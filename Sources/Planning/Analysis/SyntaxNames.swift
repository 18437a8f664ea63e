// Owns the short names under which the analysis speaks of syntax trees whose types share a name with the plan's.

import SQLSyntax

typealias SyntaxExpression = SQLSyntax.Expression
typealias SyntaxComparison = SQLSyntax.ComparisonOperator
typealias SyntaxArithmetic = SQLSyntax.ArithmeticOperator
typealias SyntaxWhenClause = SQLSyntax.WhenClause
