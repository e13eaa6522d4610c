use axum::http::Method;
use bridge::input::Refusal;
use gateway::port::{Download, FileView, HouseError};
use serde_json::json;

use crate::support::Stage;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n rest of the picture";

#[tokio::test]
async fn messages_go_out_once_and_come_back_in_order() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let path = format!("{visit}/messages");
    let hello = json!({"client_id": "m-1", "body": " Guten Tag\r\n<b>!</b>\u{0} "});
    let sent = anna.post(&path, hello.clone()).await.expect(202);
    assert_eq!(sent["body"], "Guten Tag\n<b>!</b>");
    assert_eq!(sent["author"], "guest");
    assert_eq!(sent["delivery"], "sending");
    assert_eq!(sent["client_id"], "m-1");
    assert_eq!(sent["file"], json!(null));
    assert_eq!(anna.post(&path, hello).await.expect(202), sent);
    stage.house.clerk_says("Was kann ich tun?");
    let all = anna.get(&path).await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[1]["author"], "participant");
    assert_eq!(all[1]["author_name"], "Frau Yilmaz");
    assert_eq!(all[1]["client_id"], json!(null));
    let later = anna.get(&format!("{path}?after=1")).await.expect(200);
    assert_eq!(later, json!([all[1]]));
}

#[tokio::test]
async fn messages_are_checked() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let path = format!("{visit}/messages");
    let empty = anna.post(&path, json!({})).await;
    assert_eq!(empty.faulty_fields(), ["client_id", "body"]);
    for id in ["", "a b", "ä", "../x", &"x".repeat(65)] {
        let answer = anna
            .post(&path, json!({"client_id": id, "body": "x"}))
            .await;
        assert_eq!(answer.faulty_fields(), ["client_id"], "{id}");
    }
    for body in ["", " \n", "\u{0}", &"ä".repeat(4001)] {
        let answer = anna
            .post(&path, json!({"client_id": "a", "body": body}))
            .await;
        assert_eq!(answer.faulty_fields(), ["body"]);
    }
    let edge = json!({"client_id": "a", "body": "ä".repeat(4000)});
    anna.post(&path, edge).await.expect(202);
    for query in ["after=-1", "after=x", "after=99999999999999999999"] {
        let answer = anna.get(&format!("{path}?{query}")).await;
        answer.problem(400, "invalid-query");
    }
}

#[tokio::test]
async fn nobody_writes_outside_a_conversation() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    let message = json!({"client_id": "a", "body": "Hallo"});
    let say = anna.post(&format!("{visit}/messages"), message).await;
    say.problem(409, "no-conversation");
    let typing = anna
        .post(&format!("{visit}/typing"), json!({"typing": true}))
        .await;
    typing.problem(409, "no-conversation");
    let file = anna
        .upload(&format!("{visit}/files"), "a", "a.png", PNG)
        .await;
    file.problem(409, "no-conversation");
}

#[tokio::test]
async fn typing_is_passed_on() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    for typing in [true, false] {
        let answer = anna
            .post(&format!("{visit}/typing"), json!({"typing": typing}))
            .await;
        answer.expect(204);
    }
    assert_eq!(*stage.house.typing.lock().unwrap(), [true, false]);
    let wrong = anna
        .post(&format!("{visit}/typing"), json!({"typing": "yes"}))
        .await;
    wrong.problem(422, "invalid-fields");
}

#[tokio::test]
async fn a_file_goes_out_and_comes_back_as_what_it_is() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let path = format!("{visit}/files");
    let sent = anna
        .upload(&path, "f-1", "C:\\fotos\\Grüße.html", PNG)
        .await;
    let sent = sent.expect(202);
    assert_eq!(sent["file"]["name"], "Grüße.html.png");
    assert_eq!(sent["file"]["media_type"], "image/png");
    assert_eq!(sent["file"]["size"], PNG.len());
    let url = sent["file"]["url"].as_str().unwrap();
    assert_eq!(url, format!("{path}/1"));
    let picture = anna.get(url).await;
    assert_eq!(picture.status, 200);
    assert_eq!(&picture.body[..], PNG);
    assert_eq!(picture.header("content-type"), "image/png");
    let disposition = picture.header("content-disposition");
    assert!(
        disposition.starts_with("inline; filename=\"Gr__e.html.png\";"),
        "{disposition}"
    );
    assert!(disposition.ends_with("filename*=UTF-8''Gr%C3%BC%C3%9Fe.html.png"));
    assert_eq!(picture.header("cache-control"), "private, no-store");
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert!(
        picture
            .header("content-security-policy")
            .contains("sandbox")
    );

    let pdf = anna
        .upload(&path, "f-2", "a.pdf", b"%PDF-1.7")
        .await
        .expect(202);
    let pdf = anna.get(pdf["file"]["url"].as_str().unwrap()).await;
    assert!(pdf.header("content-disposition").starts_with("attachment;"));
}

#[tokio::test]
async fn what_a_clerk_sends_as_a_page_is_saved_not_shown() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let html = Download {
        file: FileView {
            name: "x\r\nSet-Cookie: a=b.html".to_owned(),
            size: 8,
            media_type: "text/html".to_owned(),
        },
        bytes: "<script>".into(),
    };
    stage.house.records()[0].files.push((9, html));
    let answer = anna.get(&format!("{visit}/files/9")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert!(
        answer
            .header("content-disposition")
            .starts_with("attachment;")
    );
    assert!(answer.header("set-cookie").is_empty());
}

#[tokio::test]
async fn files_are_checked() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let path = format!("{visit}/files");
    for bytes in [&b"<svg/>"[..], b"GIF89a..", b"MZ\x90", b"PK\x03\x04"] {
        anna.upload(&path, "a", "a.pdf", bytes)
            .await
            .problem(415, "file-type");
    }
    assert_eq!(
        anna.upload(&path, "a", "a.pdf", b"").await.faulty_fields(),
        ["file"]
    );
    assert_eq!(
        anna.upload(&path, "", "a.png", PNG).await.faulty_fields(),
        ["client_id"]
    );
    anna.get(&format!("{path}/77"))
        .await
        .problem(404, "unknown-file");
    anna.get(&format!("{path}/x"))
        .await
        .problem(404, "unknown-file");
    assert!(stage.house.records()[0].files.is_empty());
}

#[tokio::test]
async fn files_have_a_limit_of_ten_megabytes() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let path = format!("{visit}/files");
    let mut bytes = b"%PDF-".to_vec();
    bytes.resize(10 << 20, b' ');
    anna.upload(&path, "a", "a.pdf", &bytes).await.expect(202);
    bytes.push(b' ');
    anna.upload(&path, "b", "a.pdf", &bytes)
        .await
        .problem(413, "file-too-large");
    bytes.resize(12 << 20, b' ');
    anna.upload(&path, "c", "a.pdf", &bytes)
        .await
        .problem(413, "file-too-large");
    assert_eq!(stage.house.records()[0].files.len(), 1);
}

#[tokio::test]
async fn broken_forms_are_refused() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    let path = format!("{visit}/files");
    let form = Some("multipart/form-data; boundary=x");
    for body in [
        "",
        "nonsense",
        "--x\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n%PDF-",
        "--y\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n%PDF-\r\n--y--\r\n",
    ] {
        let answer = anna.send(Method::POST, &path, form, body).await;
        answer.problem(400, "malformed-form");
    }
    for kind in [
        None,
        Some("application/json"),
        Some("multipart/form-data"),
        Some("text/plain"),
    ] {
        let answer = anna.send(Method::POST, &path, kind, "{}").await;
        answer.problem(415, "unsupported-type");
    }
}

#[tokio::test]
async fn an_absent_homeserver_is_told_with_when_to_come_back() {
    let stage = Stage::new();
    let (mut anna, visit) = stage.talking().await;
    stage.house.fail(|| HouseError::HomeserverAway);
    let file = anna.get(&format!("{visit}/files/1")).await;
    file.problem(503, "homeserver-away");
    assert_eq!(file.header("retry-after"), "30");
    stage.house.fail(|| Refusal::WrongState.into());
    let message = json!({"client_id": "a", "body": "Hallo"});
    let say = anna
        .post(&format!("{visit}/messages"), message.clone())
        .await;
    say.problem(409, "no-conversation");
    stage.house.mend();
    let say = anna.post(&format!("{visit}/messages"), message).await;
    say.expect(202);
}
