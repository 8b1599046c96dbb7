/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conversation - see conversation.h. What Redis passes over, answers twice or not at all was asked of Redis 7.
 */
#include "conversation.h"

/* clang-format off */
#define SAY(text) {text, sizeof(text) - 1}
#define LINE(name, why, ...) {name, FRAMING_LINE, why, {__VA_ARGS__}}
#define U32BE(name, why, ...) {name, FRAMING_U32BE, why, {__VA_ARGS__}}
#define RESP(name, why, ...) {name, FRAMING_RESP, why, {__VA_ARGS__}}
#define PGSQL(name, why, ...) {name, FRAMING_PGSQL, why, {__VA_ARGS__}}
#define STARTED(name, why, ...) PGSQL(name, why, SAY(">" STARTUP), SAY("<" WELCOME READY), __VA_ARGS__)

#define BROKEN "broken framing"
#define UNASKED "an answer to no request"
#define TYPE "a message of unknown type"
#define LENGTH "a message of impossible length"
#define MIXED "a Query in a batch without its Sync"

#define PING "*1\r\n$4\r\nPING\r\n"
#define PONG "+PONG\r\n"

#define STARTUP "\0\0\0\21\0\3\0\0user\0me\0\0"
#define SSL "\0\0\0\10\4\322\26\57"
#define GSSENC "\0\0\0\10\4\322\26\60"
#define CANCEL "\0\0\0\20\4\322\26\56\0\0\0\1\0\0\0\2"
#define QUERY "Q\0\0\0\15select 1\0"
#define CALL "F\0\0\0\16\0\0\0\1\0\0\0\0\0\0"
#define PARSE "P\0\0\0\20\0select 1\0\0\0"
#define BIND "B\0\0\0\14\0\0\0\0\0\0\0\0"
#define DESCRIBE "D\0\0\0\6P\0"
#define EXECUTE "E\0\0\0\11\0\0\0\0\0"
#define CLOSE "C\0\0\0\6P\0"
#define FLUSH "H\0\0\0\4"
#define SYNC "S\0\0\0\4"
#define TERMINATE "X\0\0\0\4"
#define PASSWORD "p\0\0\0\6x\0"
#define COPY_DATA "d\0\0\0\6ab"

#define WELCOME "R\0\0\0\10\0\0\0\0" SETTING "K\0\0\0\14\0\0\0\1\0\0\0\2"
#define SETTING "S\0\0\0\10a\0b\0"
#define READY "Z\0\0\0\5I"
#define ROWS "T\0\0\0\6\0\0" "D\0\0\0\6\0\0" "C\0\0\0\15SELECT 1\0"
#define ERROR "E\0\0\0\5\0"
#define NOTICE "N\0\0\0\5\0"
#define NOTIFICATION "A\0\0\0\13\0\0\0\1c\0\0"
#define COPY_IN "G\0\0\0\7\0\0\0"
#define COPY_OUT "H\0\0\0\7\0\0\0"
#define COPY_BOTH "W\0\0\0\7\0\0\0"
#define COMPLETIONS "1\0\0\0\4" "2\0\0\0\4" "n\0\0\0\4" "C\0\0\0\15SELECT 1\0"

const struct conversation conversations[] = {
	LINE("one line each", NULL, SAY(">{GET x\n"), SAY("<1\n}")),
	LINE("lines in a row", NULL, SAY(">{a\n{b\r\n{\n{last"), SAY("<1\n}22\r\n}\n}"), SAY(">\n"), SAY("<4\n}")),
	LINE("an unasked line", UNASKED, SAY(">{a\n"), SAY("<1\n}@2\n"), SAY(">b\n")),
	LINE("a greeting", UNASKED, SAY("<@220 mail\n")),

	U32BE("one message each", NULL, SAY(">{\0\0\0\3abc"), SAY("<\0\0\0\1z}")),
	U32BE("messages of nothing", NULL, SAY(">{\0\0\0\0{\0\0\0\0{\0"), SAY("<\0\0\0\0}\0\0\0\0}"), SAY(">\0\1\0")),
	U32BE("a long message", NULL, SAY(">{\377\377\377\377abc"), SAY("<\377\377\377\377abc")),
	U32BE("an unasked message", UNASKED, SAY(">{\0\0\0\1a"), SAY("<\0\0\0\0}@\0")),

	RESP("ping", NULL, SAY(">{" PING), SAY("<" PONG "}")),
	RESP("a pipeline", NULL, SAY(">{" PING "{" PING "{PING\r\n"), SAY("<" PONG "}" PONG "}"), SAY(">{" PING),
		SAY("<" PONG "}" PONG "}")),
	RESP("set and get", NULL, SAY(">{*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n\r\n*1\r\n$4\r\n\r\n{*2\r\n$3\r\nGET\r\n$0\r\n\r\n"),
		SAY("<+OK\r\n}$10\r\n\r\n*1\r\n$4\r\n\r\n}")),
	RESP("nothing", NULL, SAY(">{*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"), SAY("<$-1\r\n}")),
	RESP("what is passed over", NULL, SAY(">\r\n\n \t\v\f\r\n{*0\r\n^{*-1\r\n^{*-77\r\n^{" PING "\r\n"), SAY("<" PONG "}")),
	RESP("inline commands", NULL, SAY(">{PING\n  {ping\r\n\r{ECHO a\rb\r\n{SET a \"SUBSCRIBE b\"\r\n {*1\r\n"), SAY("<+a\r\n}")),
	RESP("RESP3", NULL, SAY(">{HELLO 3\r\n{a\r\n{a\r\n{a\r\n{a\r\n{a\r\n{a\r\n{a\r\n"),
		SAY("<%2\r\n+a\r\n*0\r\n+b\r\n*1\r\n%1\r\n:1\r\n~2\r\n#t\r\n_\r\n}"),
		SAY("<,1.5\r\n}(3492890328409238509324850943850943825024385\r\n}!5\r\nERR x\r\n}=5\r\ntxt:a\r\n}"),
		SAY("<|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n}|0\r\n+b\r\n}*2\r\n|1\r\n+a\r\n|1\r\n+b\r\n+c\r\n*-1\r\n$-1\r\n:1\r\n}")),
	RESP("nested and empty", NULL, SAY(">{a\r\n{b\r\n{c\r\n"), SAY("<*3\r\n*0\r\n*-1\r\n*1\r\n*2\r\n*0\r\n-x\r\n}*0\r\n}~0\r\n}")),
	RESP("nearly a subscription", NULL, SAY(">{*1\r\n$10\r\nSUBSCRIBES\r\n{*2\r\n$4\r\nECHO\r\n$9\r\nSUBSCRIBE\r\n{SUBSCRIB\r\n"),
		SAY(">{CLIENT REPLY ON\r\n{CLIENT OFF\r\n{REPLY OFF\r\n{SUBSCRIBE-TO-MUCH-MORE-THAN-THAT\r\n{CLIENT x REPLY OFF\r\n")),
	RESP("SUBSCRIBE", "SUBSCRIBE", SAY(">{" PING "{*2\r\n$9\r\nSUBSCRIBE@\r\n$1\r\nx\r\n"), SAY("<" PONG)),
	RESP("subscribe", "SUBSCRIBE", SAY(">{*2\r\n$9\r\nsubScribe@\r\n$1\r\nx\r\n")),
	RESP("SUBSCRIBE inline", "SUBSCRIBE", SAY("> {Subscribe@ x\r\n")),
	RESP("SUBSCRIBE alone", "SUBSCRIBE", SAY(">\r{SUBSCRIBE@\n")),
	RESP("PSUBSCRIBE", "PSUBSCRIBE", SAY(">{*2\r\n$10\r\nPSUBSCRIBE@\r\n$1\r\nx\r\n")),
	RESP("SSUBSCRIBE", "SSUBSCRIBE", SAY(">{*2\r\n$10\r\nSSUBSCRIBE@\r\n$1\r\nx\r\n")),
	RESP("UNSUBSCRIBE", "UNSUBSCRIBE", SAY(">{UNSUBSCRIBE@ a b c\r\n")),
	RESP("PUNSUBSCRIBE", "PUNSUBSCRIBE", SAY(">{PUNSUBSCRIBE@ a b c\r\n")),
	RESP("SUNSUBSCRIBE", "SUNSUBSCRIBE", SAY(">{SUNSUBSCRIBE@\ta b c\r\n")),
	RESP("MONITOR", "MONITOR", SAY(">{*1\r\n$7\r\nMONITOR@\r\n")),
	RESP("SYNC", "SYNC", SAY(">{SYNC@\r\n")),
	RESP("PSYNC", "PSYNC", SAY(">{*3\r\n$5\r\nPSYNC@\r\n$1\r\n?\r\n$2\r\n-1\r\n")),
	RESP("REPLCONF", "REPLCONF", SAY(">{REPLCONF@ ACK 1\r\n")),
	RESP("CLIENT REPLY OFF", "CLIENT REPLY OFF", SAY(">{*3\r\n$6\r\nCLIENT\r\n$5\r\nreply\r\n$3\r\nOFF@\r\n")),
	RESP("CLIENT REPLY SKIP", "CLIENT REPLY SKIP", SAY(">{client  REPLY\tSkip@\r\n")),
	RESP("SCRIPT DEBUG", "SCRIPT DEBUG", SAY(">{SCRIPT LOAD x\r\n{SCRIPT DEBUG@ YES\r\n")),
	RESP("a quoted command", "a quoted inline command", SAY(">{@\"SUB\\x53CRIBE\" x\r\n")),
	RESP("half a quoted command", "a quoted inline command", SAY(">{SUB@'SCRIBE' x\r\n")),
	RESP("a quoted second word", "a quoted inline command", SAY(">{CLIENT @\"REPLY\" OFF\r\n")),
	RESP("a push", "a push", SAY(">{a\r\n"), SAY("<@>2\r\n+a\r\n+b\r\n")),
	RESP("an unasked push", "a push", SAY(">{a\r\n"), SAY("<+OK\r\n}@>2\r\n+a\r\n+b\r\n")),
	RESP("a push within", "a push", SAY(">{a\r\n"), SAY("<*1\r\n@>2\r\n")),
	RESP("a streamed string", "a streamed answer", SAY(">{a\r\n"), SAY("<$@?\r\n;4\r\nabcd\r\n;0\r\n")),
	RESP("a streamed array", "a streamed answer", SAY(">{a\r\n"), SAY("<*@?\r\n.\r\n")),
	RESP("an unasked answer", UNASKED, SAY("<@-DENIED\r\n")),
	RESP("an answer too many", UNASKED, SAY(">{" PING), SAY("<" PONG "}@" PONG)),
	RESP("an answer to what is passed over", UNASKED, SAY(">{*0\r"), SAY("<+O"), SAY(">\n^"), SAY("<K\r\n@")),
	RESP("what is passed over, answered", UNASKED, SAY(">{*0\r"), SAY("<+OK\r\n}"), SAY(">\n@")),
	RESP("a NUL", BROKEN, SAY(">{PI@\0NG\r\n")),
	RESP("a NUL first", BROKEN, SAY(">{@\0\r\n")),
	RESP("a leading zero", BROKEN, SAY(">{*0@1\r\n")),
	RESP("a minus of nothing", BROKEN, SAY(">{*-@0\r\n")),
	RESP("no number", BROKEN, SAY(">{*@\r\n")),
	RESP("only a minus", BROKEN, SAY(">{*-@\r\n")),
	RESP("a plus", BROKEN, SAY(">{*@+1\r\n")),
	RESP("two minuses", BROKEN, SAY(">{*-@-1\r\n")),
	RESP("no carriage return", BROKEN, SAY(">{*1@\n$4\r\nPING\r\n")),
	RESP("no line feed", BROKEN, SAY(">{*1\r@$4\r\nPING\r\n")),
	RESP("no dollar", BROKEN, SAY(">{*1\r\n@PING\r\n")),
	RESP("a bulk that is too long", BROKEN, SAY(">{*1\r\n$4\r\nPING@S\r\n")),
	RESP("a bulk that ends badly", BROKEN, SAY(">{*1\r\n$4\r\nPING\r@\r")),
	RESP("a negative bulk", LENGTH, SAY(">{*1\r\n$-1\r\n@")),
	RESP("too many arguments", LENGTH, SAY(">{*2147483648\r\n@")),
	RESP("the most arguments", NULL, SAY(">{*2147483647\r\n$3\r\nDEL\r\n$1")),
	RESP("a number without end", BROKEN, SAY(">{*115292150460684697@70\r\n")),
	RESP("an unknown type", TYPE, SAY(">{a\r\n"), SAY("<@HTTP/1.1 200 OK\r\n")),
	RESP("an unknown type within", TYPE, SAY(">{a\r\n"), SAY("<*1\r\n@\377")),
	RESP("a chunk", TYPE, SAY(">{a\r\n"), SAY("<@;4\r\n")),
	RESP("a line feed in a status", BROKEN, SAY(">{a\r\n"), SAY("<+O@\nK\r\n")),
	RESP("a carriage return in a status", BROKEN, SAY(">{a\r\n"), SAY("<+O\r@K\r\n")),
	RESP("a null of a kind that has none", LENGTH, SAY(">{a\r\n"), SAY("<%-1\r\n@")),
	RESP("another negative number", LENGTH, SAY(">{a\r\n"), SAY("<$-2\r\n@")),
	RESP("too much in one answer", LENGTH, SAY(">{a\r\n"),
		SAY("<%1152921504606846976\r\n*1152921504606846976\r\n%1152921504606846976\r\n@")),

	STARTED("a query", NULL, SAY(">{" QUERY), SAY("<" ROWS READY "}")),
	STARTED("queries in a row", NULL, SAY(">{" QUERY "{" QUERY "{" CALL), SAY("<" ROWS READY "}" ERROR READY "}"),
		SAY(">{" QUERY), SAY("<V\0\0\0\10\377\377\377\377" READY "}I\0\0\0\4" READY "}"), SAY(">" TERMINATE)),
	STARTED("a batch", NULL, SAY(">{" PARSE BIND DESCRIBE EXECUTE SYNC), SAY("<" COMPLETIONS READY "}")),
	STARTED("batches in a row", NULL, SAY(">{" PARSE SYNC "{" BIND EXECUTE FLUSH CLOSE SYNC "{" SYNC "{" QUERY "{" DESCRIBE),
		SAY("<" "1\0\0\0\4" READY "}" ERROR READY "}" READY "}" ROWS READY "}"), SAY(">" SYNC), SAY("<" READY "}")),
	STARTED("a batch with a rest", NULL, SAY(">{" FLUSH PARSE), SAY("<" "1\0\0\0\4"), SAY(">" BIND EXECUTE),
		SAY("<" "2\0\0\0\4" "t\0\0\0\6\0\0" "s\0\0\0\4" "3\0\0\0\4"), SAY(">" SYNC), SAY("<" READY "}")),
	STARTED("what may come at any time", NULL, SAY("<" NOTICE SETTING NOTIFICATION), SAY(">{" QUERY),
		SAY("<" NOTIFICATION ROWS SETTING NOTICE READY "}" SETTING ERROR)),
	STARTED("a transaction", NULL, SAY(">{" QUERY "{" QUERY), SAY("<" "Z\0\0\0\5T}" "Z\0\0\0\5E}")),
	STARTED("a batch without an end", NULL, SAY(">{" PARSE BIND "X^\0\0\0\4")),
	PGSQL("a password", NULL, SAY(">" STARTUP), SAY("<R\0\0\0\10\0\0\0\3"), SAY(">" PASSWORD), SAY("<" WELCOME READY),
		SAY(">{" QUERY), SAY("<" READY "}")),
	PGSQL("no patience", NULL, SAY(">" STARTUP "{" QUERY TERMINATE), SAY("<v\0\0\0\14\0\3\0\0\0\0\0\0" WELCOME READY ROWS READY "}")),
	PGSQL("no encryption", NULL, SAY(">" GSSENC), SAY("<N"), SAY(">" SSL), SAY("<N"), SAY(">" STARTUP), SAY("<" WELCOME READY),
		SAY(">{" QUERY), SAY("<" READY "}")),
	PGSQL("no patience for encryption", NULL, SAY(">" SSL GSSENC STARTUP "{" QUERY), SAY("<NN" WELCOME READY READY "}")),
	PGSQL("refused", NULL, SAY(">" STARTUP), SAY("<" ERROR)),
	PGSQL("to cancel", NULL, SAY(">" CANCEL)),
	PGSQL("to cancel, and more", BROKEN, SAY(">" CANCEL "@" STARTUP)),
	PGSQL("SSL", "an accepted SSLRequest", SAY(">" SSL), SAY("<@S"), SAY(">\026\003\001")),
	PGSQL("GSS", "an accepted GSSENCRequest", SAY(">" GSSENC), SAY("<@G")),
	PGSQL("no word of an offer", BROKEN, SAY(">" SSL), SAY("<@E")),
	PGSQL("offers without end", BROKEN, SAY(">" SSL GSSENC SSL "@")),
	PGSQL("TLS at once", LENGTH, SAY(">\026\003\001\002\000\001\000\001@\374\003\003")),
	PGSQL("a short packet", LENGTH, SAY(">\0\0\0\7\0\3\0\0@")),
	PGSQL("a long packet", LENGTH, SAY(">\0\0\47\21\0\3\0\0@")),
	PGSQL("protocol 2", "another version of the protocol", SAY(">\0\0\0\20\0\2\0\0@")),
	PGSQL("an answer before the start", UNASKED, SAY("<@" ERROR)),
	STARTED("ready without a request", UNASKED, SAY("<@" READY)),
	STARTED("ready within a batch", UNASKED, SAY(">{" PARSE), SAY("<1\0\0\0\4@" READY)),
	STARTED("ready for what", BROKEN, SAY(">{" QUERY), SAY("<Z\0\0\0\5@x")),
	STARTED("ready at length", LENGTH, SAY(">{" QUERY), SAY("<Z\0\0\0\6@IT")),
	STARTED("COPY in", "COPY", SAY(">{" QUERY), SAY("<@" COPY_IN), SAY(">" COPY_DATA)),
	STARTED("COPY in, without patience", "COPY", SAY(">{" QUERY "@" COPY_DATA), SAY("<" COPY_IN)),
	STARTED("COPY out", "COPY", SAY(">{" QUERY), SAY("<" NOTICE "@" COPY_OUT)),
	STARTED("COPY both", "COPY", SAY(">{" QUERY), SAY("<@" COPY_BOTH)),
	STARTED("a query within a batch", MIXED, SAY(">{" PARSE "@" QUERY SYNC)),
	STARTED("a call within a batch", MIXED, SAY(">{" FLUSH "@" CALL)),
	STARTED("a password later", TYPE, SAY(">@" PASSWORD)),
	STARTED("more after the end", BROKEN, SAY(">" TERMINATE "@" QUERY)),
	STARTED("an unknown type up", TYPE, SAY(">@GET / HTTP/1.1\r\n")),
	STARTED("an unknown type down", TYPE, SAY(">{" QUERY), SAY("<@\377")),
	STARTED("no length", LENGTH, SAY(">{Q\0\0\0\0@")),
	STARTED("a negative length", LENGTH, SAY(">{Q\377\377\377\377@")),
	STARTED("a length too short", LENGTH, SAY(">{Q\0\0\0\4@")),
	STARTED("a Sync with more", LENGTH, SAY(">{S\0\0\0\5@x")),
	STARTED("a long Execute", LENGTH, SAY(">{E\0\0\47\21@")),
	STARTED("a length of 1G down", LENGTH, SAY(">{" QUERY), SAY("<D\101\0\0\0@")),
	STARTED("a long status", LENGTH, SAY(">{" QUERY), SAY("<S\0\1\0\1@")),
};
/* clang-format on */

const int conversation_count = sizeof(conversations) / sizeof(conversations[0]);
