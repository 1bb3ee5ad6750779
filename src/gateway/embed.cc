// SPDX-License-Identifier: MIT
#include "gateway/embed.h"

#include <array>

#include "dialects/registry.h"
#include "gateway/ask.h"
#include "gateway/errand_write.h"
#include "gateway/verdict.h"
#include "gateway/worker.h"
#include "model/fold.h"
#include "providers/provider.h"
#include "wire/http1.h"

namespace sluice {
namespace {

constexpr std::size_t most_answer = 256 * 1024 * 1024;

// Where vectors are asked for in each dialect that has them.
struct Way {
  DialectId dialect;
  EmbeddingShape shape;
  std::string_view path;
};
constexpr std::array ways = {
    Way{DialectId::openai_chat, EmbeddingShape::openai, "/v1/embeddings"},
    Way{DialectId::gemini, EmbeddingShape::gemini_batch, "/v1beta/models/{model}:batchEmbedContents"},
    Way{DialectId::cohere, EmbeddingShape::cohere, "/v2/embed"},
    Way{DialectId::bedrock_converse, EmbeddingShape::invoked, "/model/{model}/invoke"},
};

// The first dialect of the backend that has vectors; null when none has.
const Way* way(const Backend& backend) {
  for (const DialectId dialect : backend.dialects) {
    for (const Way& one : ways) {
      if (one.dialect == dialect && backend.way(dialect, Operation::chat, {})) return &one;
    }
  }
  return nullptr;
}

// How the client asks. Error: unsupported when it asks for no vectors.
Result<EmbeddingShape> asked_shape(const Errand& errand) {
  const EmbeddingShape shape = errand.operation().embeds;
  if (shape != EmbeddingShape::invoked) return shape;
  if (const EmbeddingShape inside = invoked_shape(errand.body); inside != EmbeddingShape::none) return inside;
  return fail(Fault::unsupported,
              "InvokeModel reaches other vendors than Bedrock for embeddings only: use Converse for a conversation.");
}

// How a model of the backend is asked. Error: unsupported.
Result<EmbeddingShape> shape_of(const Way& to, std::string_view model) {
  if (to.shape != EmbeddingShape::invoked) return to.shape;
  if (const EmbeddingShape words = invoked_shape_of(model); words != EmbeddingShape::none) return words;
  Error error{.fault = Fault::unsupported, .param = "model"};
  error.message = "On Bedrock, vectors come from Titan's, Nova's and Cohere's models.";
  return fail(std::move(error));
}

struct Wire {
  EmbeddingShape from = EmbeddingShape::none;  // the client's
  EmbeddingShape to = EmbeddingShape::none;    // the backend's
  EmbeddingRequest asked;
  std::string head;
  std::string body;
};

Result<Wire> write(const Errand& errand, const Target& target, const Way& to, const Line& line, std::int64_t now,
                   Notes& notes) {
  Wire out;
  TRY(out.from, asked_shape(errand));
  TRY(out.to, shape_of(to, target.model));
  TRY(out.asked, embedding_codec(out.from)->read_request(errand.body, notes));
  TRY(out.body, embedding_codec(out.to)->write_request(out.asked, target.model, notes));
  if (target.leg && !target.leg->edits.empty()) {
    TRY(out.body, json::apply(out.body, target.leg->edits));
  }
  const Backend& backend = *target.backend;
  const std::string path =
      to.dialect == DialectId::openai_chat ? openai_path(*backend.provider, to.path.substr(3)) : std::string(to.path);
  const std::string called = call_path(backend.url.path, Endpoint{.path = path}, target.model, false);
  out.head = "POST " + called + " HTTP/1.1\r\n" + line.fields + signing_fields(backend, line, called, out.body, now) +
             "content-type: application/json\r\naccept: application/json\r\nuser-agent: sluice\r\n";
  http1::append_field(out.head, "content-length", std::to_string(out.body.size()));
  out.head += "\r\n";
  return out;
}

Result<std::string> answer(Exchange& ex, const Errand& errand, const Wire& wire, const Flight::Head& head,
                           std::string_view body, Notes& notes) {
  TRY(EmbeddingReply reply, embedding_codec(wire.to)->read_reply(body));
  if (!reply.usage.known()) reply.usage.input = head.input_tokens;
  merge(ex.record.usage, reply.usage);
  if (!reply.model.empty()) ex.record.served = reply.model;
  const EmbeddingQuestion question{.asked = wire.asked, .model = errand.model, .exchange_id = ex.record.id};
  return embedding_codec(wire.from)->write_reply(reply, question, notes);
}

}  // namespace

bool embeds(const Backend& backend, const VendorOperation& operation) {
  return operation.embeds != EmbeddingShape::none && !backend.demo() && way(backend);
}

Task<Result<std::string>> embed(Exchange& ex, const Errand& errand, const Target& target, Permit permit) {
  Flight flight(ex, target, false, std::move(permit));
  const Way& to = *way(*target.backend);
  ex.record.served = target.model;
  Notes notes;
  auto wire = write(errand, target, to, flight.line(), ex.unix_seconds(), notes);
  ex.record.notes = notes.all();
  if (!wire) {
    flight.failed(wire.error());
    co_return std::unexpected(std::move(wire).error());
  }
  auto head = co_await flight.begin(wire->head, wire->body, nullptr);
  if (!head) {
    flight.failed(head.error());
    co_return std::unexpected(std::move(head).error());
  }
  ex.relayed_fields = std::move(head->relayed);
  auto body = co_await flight.take_all(nullptr, most_answer);
  if (!body) {
    flight.failed(body.error());
    co_return std::unexpected(std::move(body).error());
  }
  flight.first_token();
  Result<std::string> out;
  if (head->status == 200) {
    out = answer(ex, errand, *wire, *head, *body, notes);
    ex.record.notes = notes.all();
  } else {
    out = fail(read_refusal(*dialect(to.dialect), *head, *std::move(body), target.backend->key, false));
  }
  out ? flight.land() : flight.refused(out.error());
  co_return out;
}

}  // namespace sluice
