// A Record in which everything happened, for the tests and benchmarks of this folder. SPDX-License-Identifier: MIT
#pragma once

#include "model/record.h"

namespace sluice {

inline Record sample_record() {
  Record r;
  r.id = "req_01jd8x5r9k6m3n7p2q4s";
  r.client_id = "client-7";
  r.unix_ms = 1'764'000'123'045;
  r.method = "POST";
  r.door = "/v1/chat/completions";
  r.operation = "chat";
  r.dialect = "openai_chat";
  r.caller = "local";
  r.peer = "127.0.0.1";
  r.model = "smart";
  r.served = "claude-3-opus-20240229";
  r.stream = true;
  r.status = 200;
  r.usage = {.input = 12, .cache_read = 2048, .output = 340, .reasoning = 100};
  r.notes = {{NoteKind::lost, "/seed", "anthropic has no seed"}};
  r.finish = "end_turn";
  r.bytes_in = 1024;
  r.bytes_out = 20480;
  r.first_token_us = 350'120;
  r.total_us = 1'234'567;
  r.own_us = 85;
  r.attempts.push_back({.backend = "openai",
                        .model = "gpt-4",
                        .status = 503,
                        .fault = Fault::upstream_overloaded,
                        .detail = "503 from upstream",
                        .started_us = 40,
                        .sent_us = 60,
                        .head_us = 9'000,
                        .ended_us = 9'100});
  r.attempts.push_back({.backend = "claude",
                        .model = "claude-3-opus-20240229",
                        .status = 200,
                        .upstream_request_id = "req_abc",
                        .started_us = 9'150,
                        .sent_us = 9'400,
                        .head_us = 340'000,
                        .first_token_us = 350'000,
                        .ended_us = 1'234'000,
                        .fresh_connection = true});
  return r;
}

}  // namespace sluice
