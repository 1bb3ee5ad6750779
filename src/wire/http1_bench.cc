// What reading a head costs: `cmake --preset release -DSLUICE_BENCHES=ON && ninja -C build/release wire_bench`.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <string>

#include "wire/http1.h"

namespace sluice::http1 {
namespace {

// As an SDK sends it: 500 bytes.
const std::string request =
    "POST /v1/chat/completions HTTP/1.1\r\n"
    "Host: gateway.example.com:8000\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\n"
    "Accept: application/json\r\n"
    "Content-Type: application/json\r\n"
    "User-Agent: VendorSDK/Python 1.54.3\r\n"
    "X-Sdk-Lang: python\r\n"
    "X-Sdk-Package-Version: 1.54.3\r\n"
    "X-Sdk-OS: Linux\r\n"
    "X-Sdk-Arch: x64\r\n"
    "X-Sdk-Runtime: CPython\r\n"
    "X-Sdk-Runtime-Version: 3.11.2\r\n"
    "Authorization: Bearer sk-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL\r\n"
    "X-Sdk-Async: false\r\n"
    "X-Sdk-Retry-Count: 0\r\n"
    "Content-Length: 1024\r\n"
    "\r\n";

// As a vendor behind a content network answers.
const std::string response =
    "HTTP/1.1 200 OK\r\n"
    "Date: Tue, 24 Nov 2026 16:18:58 GMT\r\n"
    "Content-Type: text/event-stream; charset=utf-8\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Connection: keep-alive\r\n"
    "access-control-expose-headers: X-Request-ID\r\n"
    "vendor-organization: org-0123456789abcdefghijklmn\r\n"
    "vendor-processing-ms: 317\r\n"
    "vendor-version: 2020-10-01\r\n"
    "x-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-limit-tokens: 2000000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\n"
    "x-ratelimit-remaining-tokens: 1999962\r\n"
    "x-ratelimit-reset-requests: 6ms\r\n"
    "x-ratelimit-reset-tokens: 1ms\r\n"
    "x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    "cf-cache-status: DYNAMIC\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Server: edge\r\n"
    "CF-RAY: 0123456789abcdef-FRA\r\n"
    "alt-svc: h3=\":443\"; ma=86400\r\n"
    "\r\n";

void read_request(benchmark::State& state) {
  for ([[maybe_unused]] const auto step : state) {
    RequestHead head;
    std::size_t seen = 0;
    const Parsed parsed = parse_request(request, {}, seen, head);
    if (parsed.step != Step::done) state.SkipWithError("not read");
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
}
BENCHMARK(read_request);

void read_response(benchmark::State& state) {
  for ([[maybe_unused]] const auto step : state) {
    ResponseHead head;
    std::size_t seen = 0;
    const Parsed parsed = parse_response(response, {}, seen, false, head);
    if (parsed.step != Step::done) state.SkipWithError("not read");
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(response.size()));
}
BENCHMARK(read_response);

// The same into a head that is used again, as a connection does.
void read_request_again(benchmark::State& state) {
  RequestHead head;
  for ([[maybe_unused]] const auto step : state) {
    std::size_t seen = 0;
    const Parsed parsed = parse_request(request, {}, seen, head);
    if (parsed.step != Step::done) state.SkipWithError("not read");
    benchmark::DoNotOptimize(head);
  }
}
BENCHMARK(read_request_again);

}  // namespace
}  // namespace sluice::http1
