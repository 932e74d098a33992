// What a line costs the loop; goal: at most a microsecond.
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include "http/codec/head_parser.h"
#include "http/middleware/access_log.h"

namespace deeppool::http {
namespace {

void BM_Line(benchmark::State& state) {
  async::Loop loop;
  async::BlockingPool pool("log", 1, 4);
  const base::SystemClock clock;
  auto sink = AccessLogSink::open("/dev/null");
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
  async::Socket socket(loop, ends[0]);
  crypto::HashMemo memo;
  Exchange x(socket, "10.1.2.3", memo);
  (void)parse_request_head("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n", x.head);
  const Route route{Method::post, "/v1/chat/completions", Access::api_key, 0, {}};
  add_log_field(x, "key_id", 12345);
  add_log_field(x, "model", "gpt-large");
  add_log_field(x, "input_tokens", 900);
  add_log_field(x, "output_tokens", 300);
  for (auto _ : state) {
    state.PauseTiming();
    AccessLog log({loop, pool, **sink, clock});
    state.ResumeTiming();
    for (int i = 0; i < 60; ++i) log.add(x, &route);  // below one piece
  }
  state.SetItemsProcessed(state.iterations() * 60);
}
BENCHMARK(BM_Line);

}  // namespace
}  // namespace deeppool::http
