// Where the samples of the laws come from. SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/text.h"
#include "dialects/laws.h"
#include "dialects/registry.h"
#include "wire/aws_eventstream.h"

namespace sluice::laws {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

std::vector<fs::path> listed(const fs::path& folder) {
  std::vector<fs::path> out;
  if (!fs::is_directory(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

constexpr std::string_view binary = "application/vnd.amazon.eventstream";

void append_framed(std::string& out, json::Value event) {
  const auto [type, payload] = *event.members().begin();
  if (!aws_eventstream::append_event(out, type, payload.raw())) std::abort();
}

// A fixture of events, one a line, as the binary stream it stands for.
std::string framed(const std::string& lines) {
  std::string out;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    json::Document doc;
    const auto root = doc.parse(line);
    if (!root) std::abort();
    append_framed(out, *root);
  }
  return out;
}

struct Folder {
  DialectId dialect;
  std::string_view name;
};
constexpr Folder corpus[] = {
    {DialectId::openai_chat, "openai.chat"},
    {DialectId::openai_responses, "openai.responses"},
    {DialectId::anthropic, "anthropic.messages"},
    {DialectId::gemini, "gemini.generate"},
    {DialectId::gemini, "gemini.stream"},
    {DialectId::bedrock_converse, "bedrock.converse"},
    {DialectId::cohere, "cohere.chat"},
    {DialectId::bedrock_converse, "bedrock.converse_stream"},
    {DialectId::openai_completions, "openai.completions"},
    {DialectId::anthropic, "bedrock.invoke"},
    {DialectId::anthropic, "bedrock.invoke_stream"},
};

class Collection {
 public:
  Collection() {
    for (const Dialect* dialect : dialects()) fixtures(*dialect);
    const char* shared = std::getenv("SLUICE_SHARED");
    if (shared == nullptr || *shared == '\0') {
      std::cerr << "NOTICE: SLUICE_SHARED is not set: the laws run on the written fixtures only, not on the corpus.\n";
      return;
    }
    for (const Folder& folder : corpus) {
      const Dialect* found = dialect(folder.dialect);
      if (found == nullptr) continue;
      for (const fs::path& file : listed(fs::path(shared) / "corpus" / folder.name)) recorded(*found, file);
    }
  }

  [[nodiscard]] const std::vector<Sample>& of(Kind kind) const { return samples_.at(kind); }

 private:
  void fixtures(const Dialect& dialect) {
    const fs::path folder = fs::path(SLUICE_SOURCE_DIR) / "src/dialects" / dialect.name() / "testdata";
    for (const fs::path& file : listed(folder)) {
      const std::string stem = file.stem().string();
      Sample sample{.name = std::string(dialect.name()) + '/' + stem, .dialect = &dialect, .body = slurp(file)};
      // Where the path names a model, it counts, whatever the body says.
      const bool in_path = dialect.id() == DialectId::gemini || dialect.id() == DialectId::bedrock_converse;
      if (in_path) sample.path_model = "model-in-path";
      sample.content_type = file.extension() == ".sse" ? "text/event-stream" : "application/json";
      if (stem.starts_with("request_")) {
        sample.kind = Kind::request;
      } else if (stem.starts_with("reply_")) {
        sample.kind = Kind::reply;
      } else if (stem.starts_with("stream_")) {
        sample.kind = Kind::stream;
        if (file.extension() == ".jsonl") {
          sample.body = framed(sample.body);
          sample.content_type = binary;
        }
      } else if (stem.starts_with("error_")) {
        sample.kind = Kind::error;
        json::Document doc;
        const auto root = doc.parse(sample.body);
        if (!root) std::abort();
        sample.status = static_cast<int>((*root)["status"].integer().value_or(0));
        sample.error_kind = (*root)["kind"].text();
        sample.body = (*root)["body"].is_string() ? (*root)["body"].text() : std::string((*root)["body"].raw());
      } else {
        std::cerr << "unknown fixture " << file << '\n';
        std::abort();
      }
      samples_[sample.kind].push_back(std::move(sample));
    }
  }

  // Cohere's first version of the same API is another format, and so is what Claude's first versions and other models
  // take behind InvokeModel.
  static bool spoken(DialectId dialect, std::string_view path, json::Value request) {
    if (dialect == DialectId::cohere) return path.starts_with("/v2/");
    if (dialect != DialectId::anthropic || !path.starts_with("/model/")) return true;
    return path.contains("anthropic.claude") && (request.is_null() || request["messages"].is_array());
  }

  void recorded(const Dialect& dialect, const fs::path& file) {
    const std::string text = slurp(file);
    json::Document doc;
    const auto root = doc.parse(text);
    if (!root) std::abort();
    const std::string path = (*root)["path"].text();
    if (!spoken(dialect.id(), path, (*root)["request"])) return;
    Sample base{.name = file.stem().string(), .dialect = &dialect, .recorded = true};
    base.status = static_cast<int>((*root)["status"].integer().value_or(0));
    if (const auto at = path.find("models/"); dialect.id() == DialectId::gemini && at != std::string::npos) {
      const auto name = path.substr(at + 7, path.find_first_of(":?", at) - at - 7);
      base.path_model = percent_decode(name).value_or(name);
    }
    if (const auto at = path.find("/model/"); at != std::string::npos) {
      const auto name = path.substr(at + 7, path.rfind('/') - at - 7);
      base.path_model = percent_decode(name).value_or(name);
    }
    base.path_streams = path.find(":stream") != std::string::npos || path.ends_with("-stream");
    base.error_kind = (*root)["response_headers"]["x-amzn-errortype"].text();
    const auto add = [&](Kind kind, std::string body, std::string_view content_type) {
      Sample sample = base;
      sample.kind = kind;
      sample.body = std::move(body);
      sample.content_type = content_type;
      samples_[kind].push_back(std::move(sample));
    };
    if ((*root)["request"].is_object()) add(Kind::request, std::string((*root)["request"].raw()), "application/json");
    if (base.status >= 400) {
      const auto body = (*root)["response"];
      add(Kind::error, body && !body.is_null() ? std::string(body.raw()) : (*root)["response_text"].text(), "");
    } else if ((*root)["response_sse"].is_string()) {
      add(Kind::stream, (*root)["response_sse"].text(), "text/event-stream");
    } else if (const auto bytes = base64_decode((*root)["response_b64"].text()); bytes && !bytes->empty()) {
      add(Kind::stream, *bytes, binary);
    } else if ((*root)["response_events"].is_array()) {
      std::string stream;
      for (const json::Value event : (*root)["response_events"].elements()) append_framed(stream, event);
      add(Kind::stream, std::move(stream), binary);
    } else if ((*root)["response"].is_array()) {
      add(Kind::stream, std::string((*root)["response"].raw()), "application/json");
    } else if ((*root)["response"].is_object()) {
      add(Kind::reply, std::string((*root)["response"].raw()), "application/json");
    }
  }

  std::map<Kind, std::vector<Sample>> samples_ = {
      {Kind::request, {}}, {Kind::reply, {}}, {Kind::stream, {}}, {Kind::error, {}}};
};

// Keep this short: a defect that more than one recording shows is a vendor's habit, and the reader must live with it.
constexpr Exception exceptions[] = {
    {"gemini-generate-19f0281a26", "request identity", "its results leave out the ids of their calls: put back"},
    {"gemini-stream-fc830c0fe4", "request identity", "the same conversation"},
};

}  // namespace

const std::vector<Sample>& samples(Kind kind) {
  static const Collection all;
  return all.of(kind);
}

const Exception* exception(std::string_view sample, std::string_view law) {
  for (const Exception& e : exceptions) {
    if (e.sample == sample && (e.law == law || e.law == "*")) return &e;
  }
  return nullptr;
}

}  // namespace sluice::laws
