//! Mail servers that refuse, and connections that end too early.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use lettre::Message;
use store::{Lane, Way};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{NOW, Stage, at, dice};
use crate::{
    booking::{Letter, MailConfig, Post, Sent, write},
    outbox,
    task::Errand,
};

/// How a mail server behaves on one connection.
#[derive(Clone, Copy)]
enum Manner {
    /// Takes what comes.
    Takes,
    /// Says this of every recipient.
    Refuses(&'static str),
    /// Is gone while the mail comes.
    DiesBeforeTheEnd,
    /// Has the whole mail, and is gone before it says so.
    DiesAfterTheEnd,
}

struct Server {
    post: Post,
    mails: Arc<Mutex<Vec<String>>>,
}

/// The way to the mail server there.
fn post_at(listener: &TcpListener) -> Post {
    let address = listener.local_addr().unwrap();
    let config = MailConfig {
        url: format!("smtp://{address}").parse().unwrap(),
        from: "termine@stadt.example".to_owned(),
        replies: None,
        user: None,
        password_file: None,
    };
    Post::new(&config).unwrap()
}

impl Server {
    /// Each connection meets the next manner.
    async fn new(manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let post = post_at(&listener);
        let mails = Arc::new(Mutex::new(Vec::new()));
        let (manners, taken) = (manners.to_vec(), Arc::clone(&mails));
        tokio::spawn(async move {
            for manner in manners {
                let (stream, _) = listener.accept().await.unwrap();
                if let Some(mail) = converse(stream, manner).await {
                    taken.lock().unwrap().push(mail);
                }
            }
        });
        Self { post, mails }
    }

    /// What comes of the mail, as the outbox sees it.
    async fn send(&self) -> String {
        let mail = Message::builder()
            .from("termine@stadt.example".parse().unwrap())
            .to("erika@example.org".parse().unwrap())
            .message_id(Some("<house-17@stadt.example>".to_owned()))
            .body("Ihr Termin".to_owned())
            .unwrap();
        match self.post.send(mail).await {
            Sent::Yes => "sent".to_owned(),
            Sent::Later(code) => format!("later: {code}"),
            Sent::Never(code) => format!("never: {code}"),
        }
    }

    fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

/// One connection to its end; the mail that has come whole.
async fn converse(stream: TcpStream, manner: Manner) -> Option<String> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mx.example\r\n").await.ok()?;
    let mut mail = None;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return mail;
        }
        let answer = match (line.get(..4).unwrap_or_default(), manner) {
            ("RCPT", Manner::Refuses(words)) => words,
            ("DATA", _) => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                if matches!(manner, Manner::DiesBeforeTheEnd) {
                    return None;
                }
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut text).await.ok()?;
                }
                mail = Some(text);
                if matches!(manner, Manner::DiesAfterTheEnd) {
                    return mail;
                }
                "250 taken"
            }
            ("QUIT", _) => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return mail;
            }
            _ => "250 yes",
        };
        stream
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
        // The next mail comes on a connection of its own.
        if mail.is_some() {
            return mail;
        }
    }
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    let server = Server::new(&[
        Manner::Refuses("450 4.2.0 mailbox busy erika@example.org"),
        Manner::Refuses("550 5.1.1 no such user erika@example.org"),
        Manner::Refuses("530 5.7.0 authentication required"),
        Manner::Takes,
    ])
    .await;
    assert_eq!(server.send().await, "later: smtp_450");
    assert_eq!(server.send().await, "never: smtp_550");
    // It is our account that is wrong, not the citizen's address: nothing is given up for that.
    assert_eq!(server.send().await, "later: smtp_530");
    assert_eq!(server.send().await, "sent");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_connection_that_ends_in_a_mail_gives_no_second_mail() {
    let server = Server::new(&[Manner::DiesBeforeTheEnd, Manner::Takes]).await;
    assert_eq!(server.send().await, "later: smtp_unreachable");
    assert_eq!(server.send().await, "sent");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_whose_end_was_not_acknowledged_comes_again_under_its_name() {
    let server = Server::new(&[Manner::DiesAfterTheEnd, Manner::Takes]).await;
    assert_eq!(server.send().await, "later: smtp_unreachable");
    assert_eq!(server.send().await, "sent");
    let mails = server.mails();
    assert_eq!(
        mails.len(),
        2,
        "nobody can know whether the first was taken"
    );
    for mail in mails {
        assert!(
            mail.contains("Message-ID: <house-17@stadt.example>\r\n"),
            "{mail}"
        );
    }
}

#[tokio::test]
async fn the_address_for_answers_leaves_room_for_a_secret() {
    let config = |replies: &str| MailConfig {
        url: "smtp://127.0.0.1:25".parse().unwrap(),
        from: "termine@stadt.example".to_owned(),
        replies: Some(replies.to_owned()),
        user: None,
        password_file: None,
    };
    assert!(Post::new(&config("antwort@stadt.example")).is_ok());
    for wrong in [
        "antwort",
        "antwort+x@stadt.example",
        "ein.sehr.langer.name.mit.vielen.teilen@stadt.example",
    ] {
        assert!(Post::new(&config(wrong)).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn an_account_is_sent_to_another_machine_only_under_tls() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "geheim").unwrap();
    let config = |url: &str, user: Option<&str>| MailConfig {
        url: url.parse().unwrap(),
        from: "termine@stadt.example".to_owned(),
        replies: None,
        user: user.map(str::to_owned),
        password_file: Some(password.clone()),
    };
    for (url, readable) in [
        ("smtps://mail.stadt.example", false),
        ("smtp://mail.stadt.example:587?tls=required", false),
        ("smtp://localhost", false),
        ("smtp://127.0.0.1:25", false),
        ("smtp://[::1]:25", false),
        ("smtp://mail.stadt.example", true),
        ("smtp://mail.stadt.example?tls=opportunistic", true),
        ("smtp://192.0.2.1:25", true),
        ("smtp://[2001:db8::1]:25", true),
    ] {
        let with_account = config(url, Some("termine"));
        assert_eq!(with_account.is_readable_on_the_way(), readable, "{url}");
        assert_eq!(Post::new(&with_account).is_err(), readable, "{url}");
        assert!(Post::new(&config(url, None)).is_ok(), "{url}");
    }
    let refused = Post::new(&config("smtp://mail.stadt.example", Some("termine")));
    let told = refused.err().unwrap().to_string();
    assert!(
        told.contains("smtps://") && !told.contains("geheim"),
        "{told}"
    );
}

/// After a release hundreds of mails are on their way at once; nobody at a door waits for a mail server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_never_answers_holds_up_no_errand_in_matrix() {
    let stage = Stage::new().await;
    let mut number = 0;
    for day in ["24", "25", "26"] {
        for time in ["08:00", "08:30", "09:00", "09:30"] {
            number += 1;
            let start = format!("2026-11-{day}T{time}:00Z");
            stage
                .confirmed(number, &start, &format!("e{number}@example.org"))
                .await;
        }
    }
    stage.errands().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut house = stage.house();
    house.post = Some(post_at(&silent));
    let mut tx = stage.bookings.store.begin().await.unwrap();
    for number in 1..=number {
        let id = bridge::ids::BookingId::from_random(dice(number).id);
        write(&mut tx, &id, Letter::Booked, at(NOW)).await.unwrap();
    }
    let visit = bridge::ids::VisitId::from_random([7; 16]);
    let lane = Lane::visit(&visit);
    let errand = Errand::ShowTicket { visit };
    tx.enqueue(&lane, &errand, at(NOW)).await.unwrap();
    tx.commit().await.unwrap();
    let worker = tokio::spawn(outbox::work(Arc::new(house)));
    let gone = async {
        loop {
            let mut read = stage.bookings.store.read().await.unwrap();
            let due = read.due(Way::Matrix, at(NOW), 1).await.unwrap();
            drop(read);
            if due.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), gone).await;
    assert!(in_time.is_ok(), "it waits behind the mails");
    let mut read = stage.bookings.store.read().await.unwrap();
    let mails = read.due(Way::Mail, at(NOW), 100).await.unwrap();
    assert_eq!(mails.len(), 12, "none of them is sent");
    worker.abort();
}
