// Owns the entry point of waterbearctl; the program itself is ControlClient, where tests reach it.
import ControlClient
import Glibc

exit(Control.run(Array(CommandLine.arguments.dropFirst()), console: .process()).rawValue)
